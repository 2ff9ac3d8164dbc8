/*
 * unsupported - what a person needs to know of an instance that the peer does not take: its class and syntax, the
 * peer's result for them, and what the peer does take.
 */
#ifndef ENGINE_UNSUPPORTED_H
#define ENGINE_UNSUPPORTED_H

struct dicomnet_association;
struct instance;

/*
 * Note it: no context of this association, which proposed one for it, can carry the instance. "CTImageStorage (UID) as
 * JPEGBaseline8Bit (UID): transfer syntaxes not supported (result 4); of this class the peer takes ..."
 */
void unsupported_note(struct instance *instance, const struct dicomnet_association *association);

/* The peer answered 0122 to it, or to another one of its class. */
void unsupported_note_class(struct instance *instance);

#endif
