/*
 * vr_guess - see vr_guess.h.
 *
 * For each way to read the element, the paths behind it are followed: one for each way to read each further element of
 * that kind. A path scores for what it meets, and the way with the best path wins. No recursion: paths wait in a small
 * array, and one too many is left out.
 */
#include "files/vr_guess.h"

#include <string.h>

#include "base/bytes.h"

enum {
    PATHS_MAX = 24,
    READS_MAX = 48,  /* headers for each way to read one element */
    SCORE_GUESS = 1, /* a further element whose VR is unknown, and that fits */
    SCORE_KNOWN = 4, /* an element with a VR of the standard */
    SCORE_ENOUGH = SCORE_KNOWN,
    SCORE_ENOUGH_FIRST = 2 * SCORE_KNOWN,
    SCORE_PROVED = 4 * SCORE_KNOWN,
    INFLATE_MAX = 1024 * 1024 /* of a deflated data set: no value that is larger is looked behind */
};

struct path {
    uint64_t offset;
    uint32_t tag; /* of the element before */
    unsigned score;
};

struct look_ahead {
    struct vr_guess *guess;
    struct window *window;
    const struct vr_place *place;
    size_t count;
    struct path paths[PATHS_MAX];
};

static uint32_t tag_of(const struct walk_element *element)
{
    return (uint32_t)element->group << 16 | element->element;
}

static uint64_t limit_of(const struct look_ahead *ahead)
{
    /* The end of a deflated data set becomes known on the way. */
    return ahead->place->in_data_set ? ahead->window->size : ahead->place->limit;
}

/* True if an item begins at `offset`, or the sequence ends there already. */
static bool is_item(struct look_ahead *ahead, uint64_t offset)
{
    const uint8_t *p = limit_of(ahead) - offset >= 8 ? window_peek(ahead->window, offset, 8) : NULL;
    bool big = ahead->place->form == SYNTAX_EXPLICIT_BE;
    return p != NULL && (big ? get_u16_be(p) : get_u16_le(p)) == 0xfffe;
}

/* Go on behind an element, or score what cannot be followed. Returns the score if the path ends there, else 0. */
static unsigned go_behind(struct look_ahead *ahead, const struct walk_element *element, struct path path)
{
    uint64_t value_offset = path.offset + element->header_len;
    if (element->undefined)
        return is_item(ahead, value_offset) ? SCORE_PROVED : 0;
    if (ahead->window->inflating && element->value_len > INFLATE_MAX)
        return path.score + (element->length == WALK_LENGTH_IMPLICIT ? 0 : SCORE_KNOWN);
    if (ahead->count == PATHS_MAX)
        return 0;
    path.offset = value_offset + element->value_len;
    path.tag = tag_of(element);
    ahead->paths[ahead->count++] = path;
    return 0;
}

/* The ways to read an element, the likeliest last: that is the one that is followed first. */
static void order_ways(enum walk_length likely, enum walk_length ret_ways[3])
{
    static const enum walk_length ways[] = {WALK_LENGTH_IMPLICIT, WALK_LENGTH_32, WALK_LENGTH_16};
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        if (ways[i] != likely)
            ret_ways[count++] = ways[i];
    ret_ways[2] = likely;
}

/* A further element of this kind on the path: one path for each way to read it. Returns the best score that ended. */
static unsigned branch(struct look_ahead *ahead, struct path path, enum walk_length likely)
{
    enum walk_length ways[3];
    unsigned best = 0;
    order_ways(likely, ways);
    path.score += SCORE_GUESS;
    for (size_t i = 0; i < 3; i++) {
        struct walk_element element;
        if (walk_read_header(ahead->window, ahead->place->form, path.offset, limit_of(ahead), ways[i], false,
                             &element) != WALK_COMPLETE)
            continue;
        unsigned score = go_behind(ahead, &element, path);
        best = score > best ? score : best;
    }
    return best;
}

/* One header further. Returns the score so far, and of what ended here. */
static unsigned follow(struct look_ahead *ahead, struct path path, enum walk_length likely)
{
    if (ahead->place->in_data_set ? window_ends_at(ahead->window, path.offset) : path.offset == limit_of(ahead))
        return SCORE_PROVED;
    struct walk_element element;
    enum walk_result result = walk_read_header(ahead->window, ahead->place->form, path.offset, limit_of(ahead),
                                               WALK_LENGTH_BY_VR, false, &element);
    uint32_t tag = tag_of(&element);
    if (element.group == 0xfffe) {
        bool ends_item = element.element == 0xe00d && result == WALK_COMPLETE && element.value_len == 0;
        return ends_item && !ahead->place->in_data_set ? SCORE_PROVED : path.score;
    }
    if (result == WALK_UNKNOWN_VR && tag == 0) /* zeros behind the last element */
        return path.score + SCORE_KNOWN;
    if (tag <= path.tag)
        return path.score;
    if (result == WALK_UNKNOWN_VR) {
        unsigned score = branch(ahead, path, likely);
        return score > path.score ? score : path.score;
    }
    if (element.header_len == 0)
        return path.score;
    path.score += SCORE_KNOWN;
    unsigned score = result == WALK_COMPLETE ? go_behind(ahead, &element, path) : 0;
    return score > path.score ? score : path.score;
}

/* Take a path: the last one, but of a deflated data set, which is read forward only, the one that has come least far.
 */
static struct path take_path(struct look_ahead *ahead)
{
    size_t chosen = ahead->count - 1;
    for (size_t i = chosen; ahead->window->inflating && i-- > 0;)
        if (ahead->paths[i].offset < ahead->paths[chosen].offset)
            chosen = i;
    struct path path = ahead->paths[chosen];
    ahead->paths[chosen] = ahead->paths[--ahead->count];
    return path;
}

/* What speaks for reading the element in this way. */
static unsigned score_of(struct look_ahead *ahead, enum walk_length way)
{
    const struct vr_place *place = ahead->place;
    struct walk_element element;
    if (walk_read_header(ahead->window, place->form, place->offset, limit_of(ahead), way, place->first, &element) !=
        WALK_COMPLETE)
        return 0;
    ahead->count = 0;
    unsigned best = go_behind(ahead, &element, (struct path){.offset = place->offset});
    for (unsigned reads = 0; ahead->count > 0 && best < SCORE_PROVED && reads < READS_MAX; reads++) {
        ahead->guess->reads++;
        unsigned score = follow(ahead, take_path(ahead), way);
        best = score > best ? score : best;
    }
    return best;
}

/* The same, in a window of its own if the data set is deflated. */
static unsigned weigh(struct vr_guess *guess, struct window *window, const struct vr_place *place, enum walk_length way)
{
    struct look_ahead ahead = {.guess = guess, .window = window, .place = place};
    struct window fork;
    if (!window->inflating)
        return score_of(&ahead, way);
    int error = window_fork(&fork, window);
    if (error == 0) {
        ahead.window = &fork;
        unsigned score = score_of(&ahead, way);
        window->error = fork.error;
        window_fini(&fork);
        return score;
    }
    window->error = error;
    return 0;
}

/* The way with the highest score; WALK_LENGTH_BY_VR if none has enough. */
static enum walk_length choose(struct vr_guess *guess, struct window *window, const struct vr_place *place,
                               const char vr[2])
{
    bool again = guess->last != WALK_LENGTH_BY_VR && memcmp(guess->vr, vr, sizeof guess->vr) == 0;
    if (guess->reads >= VR_GUESS_READS_MAX)
        return guess->last != WALK_LENGTH_BY_VR ? guess->last : WALK_LENGTH_16;
    enum walk_length ways[3], chosen = WALK_LENGTH_BY_VR;
    unsigned best = (place->first ? SCORE_ENOUGH_FIRST : SCORE_ENOUGH) - 1;
    order_ways(again ? guess->last : WALK_LENGTH_16, ways);
    for (size_t i = 3; i-- > 0 && best < SCORE_PROVED && window->error == 0;) {
        if (place->first && ways[i] == WALK_LENGTH_IMPLICIT)
            continue;
        unsigned score = weigh(guess, window, place, ways[i]);
        if (score > best) {
            best = score;
            chosen = ways[i];
        }
    }
    return chosen;
}

enum walk_result vr_guess_read(struct vr_guess *guess, struct window *window, const struct vr_place *place,
                               struct walk_element *ret_element)
{
    char vr[2] = {ret_element->vr[0], ret_element->vr[1]};
    enum walk_length way = choose(guess, window, place, vr);
    if (window->error != 0)
        return WALK_UNREADABLE;
    if (way == WALK_LENGTH_BY_VR)
        return WALK_MISMATCH;
    memcpy(guess->vr, vr, sizeof guess->vr);
    guess->last = way;
    enum walk_result result =
        walk_read_header(window, place->form, place->offset, place->limit, way, place->first, ret_element);
    return result == WALK_TRUNCATED ? WALK_MISMATCH : result;
}
