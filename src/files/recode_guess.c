/* recode_guess - see files/recode_guess.h. */
#include "files/recode_guess.h"

void recode_guess_init(struct recode_guess *guess, int fd, uint64_t data_offset, uint64_t data_len)
{
    guess->data_offset = data_offset;
    guess->last = 0;
    guess->guess = (struct vr_guess){.reads = 0};
    guess->window.has_stream = false;
    window_begin(&guess->window, fd, data_offset + data_len);
}

enum recode_length recode_guess_read(void *context, const struct recode_place *place)
{
    struct recode_guess *guess = (struct recode_guess *)context;
    struct window *window = &guess->window;
    if (place->offset <= guess->last)
        guess->guess = (struct vr_guess){.reads = 0};
    guess->last = place->offset;
    uint64_t end = window->size - guess->data_offset;
    const struct vr_place in_file = {.form = place->form,
                                     .offset = guess->data_offset + place->offset,
                                     .limit = guess->data_offset + (place->limit < end ? place->limit : end),
                                     .in_data_set = place->in_data_set,
                                     .first = place->offset == 0};
    struct walk_element element;
    enum walk_result result = walk_read_header(window, place->form, in_file.offset, in_file.limit, WALK_LENGTH_BY_VR,
                                               in_file.first, &element);
    if (result == WALK_UNKNOWN_VR)
        result = vr_guess_read(&guess->guess, window, &in_file, &element);
    if (result != WALK_COMPLETE)
        return RECODE_LENGTH_UNKNOWN;
    switch (element.length) {
    case WALK_LENGTH_16:
        return RECODE_LENGTH_16;
    case WALK_LENGTH_32:
        return RECODE_LENGTH_32;
    case WALK_LENGTH_IMPLICIT:
        return RECODE_LENGTH_IMPLICIT;
    default:
        return RECODE_LENGTH_UNKNOWN;
    }
}
