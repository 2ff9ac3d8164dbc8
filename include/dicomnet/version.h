/*
 * version - which version of the library this is: of the headers, for the preprocessor, and of what runs.
 */
#ifndef DICOMNET_VERSION_H
#define DICOMNET_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define DICOMNET_VERSION_MAJOR 0
#define DICOMNET_VERSION_MINOR 1
#define DICOMNET_VERSION_PATCH 0

/* "0.1.0", of the library that is linked. Static. */
const char *dicomnet_version(void);

#ifdef __cplusplus
}
#endif

#endif
