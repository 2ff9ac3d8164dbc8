/*
 * sizes - of the arrays that hold a text whose length DICOM limits, and of the options structs, which may grow.
 *
 * Every struct of options begins with its size, by which the library knows what the caller was compiled with: an older
 * caller's shorter struct is taken, and what it lacks is zero. It is set by the struct's initializer,
 *
 *     struct dicomnet_association_options options = DICOMNET_ASSOCIATION_OPTIONS_INIT;
 *
 * in C and in C++, which makes everything else zero; in C `.size = sizeof(struct dicomnet_association_options)` in an
 * initializer of one's own does as well. A size that is 0, or cannot be, is refused: DICOMNET_ERROR_OPTIONS_SIZE.
 */
#ifndef DICOMNET_SIZES_H
#define DICOMNET_SIZES_H

/* The initializer of an options struct. */
#ifdef __cplusplus
extern "C++" { /* also if somebody includes it within extern "C" */
template <typename options_type> inline options_type dicomnet_sized()
{
    options_type options = options_type();
    options.size = sizeof options;
    return options;
}
}
#define DICOMNET_INIT(type) dicomnet_sized<type>()
#else
#define DICOMNET_INIT(type)                                                                                            \
    {                                                                                                                  \
        .size = sizeof(type)                                                                                           \
    }
#endif

/* For arrays; the NUL is counted. A UID's is DICOMNET_UID_SIZE (uid.h). */
enum {
    DICOMNET_AE_SIZE = 17,          /* an AE title, VR AE: at most 16 characters (PS3.5 6.2) */
    DICOMNET_COMMENT_SIZE = 65,     /* an Error Comment (0000,0902), VR LO: at most 64 characters (PS3.7 annex E) */
    DICOMNET_VERSION_NAME_SIZE = 17 /* an implementation version name: at most 16 characters (PS3.7 D.3.3.2) */
};

#endif
