/* uid_form - the form of unique identifiers. See dicomnet/uid.h. */
#include "dicomnet/uid.h"

bool dicomnet_uid_is_well_formed(const char *uid, size_t len)
{
    if (len == 0 || len > DICOMNET_UID_LEN_MAX)
        return false;
    bool in_component = false;
    for (size_t i = 0; i < len; i++) {
        bool is_digit = uid[i] >= '0' && uid[i] <= '9';
        if (!is_digit && (uid[i] != '.' || !in_component))
            return false;
        in_component = is_digit;
    }
    return in_component;
}

bool dicomnet_uid_has_leading_zero(const char *uid)
{
    bool at_start = true;
    for (; *uid != '\0'; uid++) {
        if (at_start && uid[0] == '0' && uid[1] >= '0' && uid[1] <= '9')
            return true;
        at_start = *uid == '.';
    }
    return false;
}
