/* version - see dicomnet/version.h. */
#include "dicomnet/version.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

const char *dicomnet_version(void)
{
    return TEXT(DICOMNET_VERSION_MAJOR) "." TEXT(DICOMNET_VERSION_MINOR) "." TEXT(DICOMNET_VERSION_PATCH);
}
