/*
 * fuzz_identifier - query data sets: what was decoded survives being encoded, in either syntax, and can be walked,
 * copied and read as text.
 *
 * Input: one byte that says the syntax (even = Implicit VR), then the data set.
 */
#include <string.h>

#include "dicomnet/identifier.h"
#include "dicomnet/uid.h"
#include "fuzz.h"

/* Everything in order, and no deeper than it may be. Returns how many there are. */
static size_t check_elements(const struct dicomnet_identifier *identifier)
{
    size_t count = 0;
    uint32_t last_tag = 0;
    char text[64];
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(identifier, &element); count++) {
        FUZZ_CHECK(element.depth <= DICOMNET_IDENTIFIER_DEPTH_MAX && element.value.len % 2 == 0);
        FUZZ_CHECK(element.depth > 0 || count == 0 || element.tag > last_tag);
        if (element.depth == 0)
            last_tag = element.tag;
        size_t values = dicomnet_element_value_count(&element);
        for (size_t i = 0; i < values && i < 4; i++)
            (void)!dicomnet_element_get_text(&element, i, text, sizeof text);
        FUZZ_CHECK(!dicomnet_element_get_text(&element, values, text, sizeof text));
    }
    return count;
}

static void check_survives(const struct dicomnet_identifier *identifier, const char *syntax_uid, size_t count)
{
    struct dicomnet_identifier again;
    size_t size = dicomnet_identifier_encoded_size(identifier);
    uint8_t *bytes = malloc(size);
    ssize_t len = dicomnet_identifier_encode(identifier, syntax_uid, bytes, size);
    FUZZ_CHECK(len >= 0 && len % 2 == 0);
    dicomnet_identifier_init(&again);
    FUZZ_CHECK(
        dicomnet_identifier_decode(&again, (struct dicomnet_span){.data = bytes, .len = (size_t)len}, syntax_uid) == 0);
    /* Implicit VR says nothing of VRs: what was no sequence may be read as one, but only where the dictionary says so.
     */
    if (strcmp(syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0)
        FUZZ_CHECK(check_elements(&again) == count);
    dicomnet_identifier_fini(&again);
    free(bytes);
}

/* Build it again out of its elements and items. */
static void check_copies(const struct dicomnet_identifier *identifier)
{
    struct dicomnet_identifier copy, item;
    dicomnet_identifier_init(&copy);
    dicomnet_identifier_init(&item);
    for (struct dicomnet_element element = {0}; dicomnet_identifier_skip(identifier, &element);)
        FUZZ_CHECK(dicomnet_identifier_set_element(&copy, identifier, &element) == 0);
    FUZZ_CHECK(dicomnet_identifier_encoded_size(&copy) == dicomnet_identifier_encoded_size(identifier));
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(identifier, &element);)
        if (element.tag == DICOMNET_TAG_ITEM && dicomnet_identifier_get_item(identifier, &element, &item) == 0)
            (void)check_elements(&item);
    dicomnet_identifier_fini(&copy);
    dicomnet_identifier_fini(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .len = size};
    bool implicit_vr = fuzz_take_u8(&input) % 2 == 0;
    struct dicomnet_identifier identifier;
    dicomnet_identifier_init(&identifier);
    int error = dicomnet_identifier_decode(&identifier, (struct dicomnet_span){.data = input.data, .len = input.len},
                                           implicit_vr ? DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
                                                       : DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    FUZZ_CHECK(error == 0 || error == DICOMNET_ERROR_IDENTIFIER_MALFORMED ||
               error == DICOMNET_ERROR_IDENTIFIER_TOO_DEEP);
    FUZZ_CHECK(error == 0 || dicomnet_identifier_is_empty(&identifier));
    if (error == 0) {
        size_t count = check_elements(&identifier);
        check_survives(&identifier, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, count);
        if (implicit_vr)
            check_survives(&identifier, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, count);
        check_copies(&identifier);
    }
    dicomnet_identifier_fini(&identifier);
    return 0;
}
