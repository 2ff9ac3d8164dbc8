/*
 * sizes - of the arrays that hold a text whose length DICOM limits, the NUL included. A UID's is DICOMNET_UID_SIZE
 * (uid.h).
 */
#ifndef DICOMNET_SIZES_H
#define DICOMNET_SIZES_H

enum {
    DICOMNET_AE_SIZE = 17,          /* an AE title, VR AE: at most 16 characters (PS3.5 6.2) */
    DICOMNET_COMMENT_SIZE = 65,     /* an Error Comment (0000,0902), VR LO: at most 64 characters (PS3.7 annex E) */
    DICOMNET_VERSION_NAME_SIZE = 17 /* an implementation version name: at most 16 characters (PS3.7 D.3.3.2) */
};

#endif
