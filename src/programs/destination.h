/*
 * destination - where to: one peer out of all the ways to name one.
 *
 *   --host HOST [--port PORT] [--ae-title AE]         (HOST may be all that --connect takes)
 *   --connect, or an argument: pacs://[AE@]HOST[:PORT]   [AE@]HOST[:PORT]   [AE@]HOST PORT
 *   the same over TLS: pacss://[AE@]HOST[:PORT], "tls" in the file of peers, or any option of TLS
 *   --peer NAME, or nothing at all: a peer from the file of peers, or its default
 *   --loopback
 *
 * An IPv6 address stands in brackets where a port can follow it. --port, --ae-title and --calling-ae, where given, win
 * over what the other ways say.
 */
#ifndef PROGRAMS_DESTINATION_H
#define PROGRAMS_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/association.h"
#include "programs/option_groups.h"
#include "programs/peers.h"
#include "services/peer_text.h"

struct options;

/* It is not to be copied: the association's host is in it. Call destination_fini, whatever was found. */
struct destination {
    struct dicomnet_association_parameters association; /* all that the options say of it; host: "" with loopback */
    char host[256];                                     /* without brackets */
    bool loopback;
    bool default_port; /* nobody said which, so it is 104, or 2762 over TLS */
    bool over_tls;     /* association.tls is owned: destination_fini */
    struct tls_group tls;
    struct identity_group identity;     /* what association.identity is made of, which is owned, too */
    struct dicomnet_identity *who_asks; /* the same */
    struct peer from_file;              /* its texts may be in `tls` and `identity` */
    char text[320]; /* for people: "PACS@pacs.example.org:4242", "PACS@[::1]:104 over TLS", "the loopback receiver" */
};

/* The options that set whom we ask, and as whom. */
extern const struct peer_words destination_words;

/* What an argument looks like, by its characters alone; loose on purpose, so that what is wrong is said to be so. */
enum destination_shape {
    DESTINATION_NONE, /* a path */
    DESTINATION_URL,  /* pacs://..., in any case; or another scheme, which is refused when it is read */
    DESTINATION_AE_HOST_PORT,
    DESTINATION_HOST_PORT,
    DESTINATION_AE_HOST,
    DESTINATION_HOST
};

enum destination_shape destination_shape(const char *argument);

enum { DESTINATION_WRONG = -1, DESTINATION_MISSING = -2 };

/*
 * Find the destination that the options name. Returns 0, or one of the two above and one line in `ret_message` of
 * `size` bytes: what is wrong with it or, if there is none, all the ways to name one.
 */
int destination_find(const struct options *options, struct destination *ret_destination, char *ret_message,
                     size_t size) DICOMNET_MUST_CHECK;

/* Say what may be wrong with it, though it is as it was asked for, on standard error. */
void destination_warn(const struct destination *destination, const struct options *options);

/* Safe twice, and after destination_be_nobody. */
void destination_fini(struct destination *destination);

/* No destination: that of a dry run which names none. */
void destination_be_nobody(const struct options *options, struct destination *ret_destination);

/*
 * What destination_find could not do, on standard error: its message or, where nothing was typed at all, how the
 * program is used. Returns the exit code, 1.
 */
int destination_say(const struct options *options, int result, const char *message);

/* Add to `text`, which says why there is no association, that nobody named the port if that can be the reason. */
void destination_explain(const struct destination *destination, char *text, size_t size);

#endif
