/* Walks that step over most elements say what walks say that look at each, and tell of what was asked for. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <unistd.h>

#include "dicomnet/uid.h"
#include "files/walk.h"
#include "golden.h"

#define UNDEFINED UINT32_MAX

enum { TOLD_MAX = 4096 };

static struct golden g;
static struct window window;

struct told {
    size_t count;
    uint32_t tags[TOLD_MAX];
    unsigned depths[TOLD_MAX];
};

static struct told one, other;

static void note(void *context, const struct walk_element *element, uint64_t offset)
{
    struct told *told = (struct told *)context;
    (void)offset;
    cr_assert_lt(told->count, (size_t)TOLD_MAX);
    told->tags[told->count] = (uint32_t)element->group << 16 | element->element;
    told->depths[told->count++] = element->depth;
}

/* Elements of every kind, more than a window of them, some in items, in two forms. */
static void make(enum syntax_form form)
{
    bool is_explicit = form == SYNTAX_EXPLICIT_LE;
    golden_begin(&g, is_explicit ? DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN : DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN,
                 form);
    golden_put_names(&g);
    for (uint32_t i = 0; i < 300; i++)
        golden_put(&g, 0x00210010 + i, i % 3 == 0 ? "UT" : i % 3 == 1 ? "LO" : "UN", "0123456789abcdef", 2 * (i % 9));
    for (uint32_t i = 0; i < 6; i++) {
        bool is_open = i % 2 == 0;
        golden_put_header(&g, 0x00400275 + i, i < 4 ? "SQ" : "UN", is_open ? UNDEFINED : 8 + 3 * 16);
        if (is_explicit && i >= 4)
            g.form = SYNTAX_IMPLICIT_LE; /* PS3.5 6.2.2 note 4 */
        golden_put_item(&g, 0xe000, is_open ? UNDEFINED : 3 * 16);
        for (uint32_t k = 0; k < 3; k++)
            golden_put(&g, 0x00080100 + k, "SH", "01234567", 8);
        if (is_open) {
            golden_put_item(&g, 0xe00d, 0);
            golden_put_item(&g, 0xe0dd, 0);
        }
        g.form = form;
    }
    golden_put(&g, 0x00540010, "OB", "0123456789abcdef", 16);
    golden_put(&g, 0x7fe00010, "OW", "0123456789abcdef", 16);
    golden_put(&g, 0xfffcfffc, "OB", "0123456789abcdef", 16);
}

static enum walk_result run(struct walk *walk, const char *path, enum syntax_form form)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    window_begin(&window, fd, g.writer.len);
    walk->window = &window;
    walk->offset = g.data_offset;
    one.count = 0;
    enum walk_result result = walk_run(walk, form);
    close(fd);
    return result;
}

static void expect_alike(enum syntax_form form, bool deep, int round)
{
    static const uint32_t names[] = {0x00080018, 0x00080102, 0x00210020, 0x0020000d, 0x7fe00010};
    char path[GOLDEN_PATH_SIZE];
    golden_write(&g, g.writer.len, path);
    struct walk plain = {.visit = NULL}, careful = {.visit = note, .context = &other, .deep = deep},
                some = {.visit = note, .context = &one, .deep = deep, .tags = names, .tag_count = 5};
    other.count = 0;
    enum walk_result results[] = {run(&plain, path, form), run(&careful, path, form), run(&some, path, form)};
    unlink(path);
    const struct walk *walks[] = {&plain, &some};
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(results[2 * i], results[1], "round %d: %d and %d", round, (int)results[2 * i], (int)results[1]);
        cr_expect_eq(walks[i]->offset, careful.offset, "round %d", round);
        cr_expect_eq(walks[i]->elements, careful.elements, "round %d", round);
        cr_expect_eq(walks[i]->detail, careful.detail, "round %d", round);
        cr_expect_eq(walks[i]->unknown_vr, careful.unknown_vr, "round %d", round);
        cr_expect_eq(walks[i]->zero_tail, careful.zero_tail, "round %d", round);
        cr_expect_eq(walks[i]->encapsulated, careful.encapsulated, "round %d", round);
    }
    /* What was asked for is told of, in the same order, and nothing else. */
    size_t wanted = 0;
    for (size_t i = 0; i < other.count; i++) {
        bool is_wanted = false;
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            is_wanted = is_wanted || names[k] == other.tags[i];
        if (!is_wanted)
            continue;
        cr_expect_lt(wanted, one.count, "round %d", round);
        cr_expect_eq(one.tags[wanted], other.tags[i], "round %d", round);
        cr_expect_eq(one.depths[wanted++], other.depths[i], "round %d", round);
    }
    cr_expect_eq(wanted, one.count, "round %d", round);
}

Test(walk, steps_over_what_it_need_not_look_at)
{
    for (int i = 0; i < 4; i++) {
        enum syntax_form form = i % 2 == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        make(form);
        expect_alike(form, i >= 2, i);
        cr_expect_eq(other.count, (i >= 2 ? 6 * 3 : 0) + 4 + 300 + 6 + 3, "%zu", other.count);
        cr_expect_eq(one.count, i >= 2 ? 10 : 4, "%zu", one.count);
    }
}

/* A sequence that is none, but whose end is known: the walk goes on behind it, and comes to the end. */
Test(walk, goes_on_behind_a_value_that_does_not_parse)
{
    for (int i = 0; i < 2; i++) {
        enum syntax_form form = i == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, form);
        golden_put_names(&g);
        golden_put_header(&g, 0x00400275, "SQ", 8 + 12);
        golden_put_item(&g, 0xe000, UNDEFINED);
        golden_put(&g, 0x00080100, "SH", "0123", 4);
        golden_put(&g, 0x00400280, "UT", "0123456789abcdef", 16);
        golden_put(&g, 0x00400281, "UT", "0123456789abcdef", 16);
        expect_alike(form, false, i);
        struct walk walk = {.visit = NULL};
        char path[GOLDEN_PATH_SIZE];
        golden_write(&g, g.writer.len, path);
        cr_expect_eq(run(&walk, path, form), WALK_COMPLETE);
        unlink(path);
    }
}

Test(walk, says_the_same_of_damaged_files, .timeout = 60)
{
    uint64_t random = 88172645463325252;
    for (int round = 0; round < 3000; round++) {
        enum syntax_form form = round % 2 == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        make(form);
        for (int change = 0; change < 1 + round % 5; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t at = g.data_offset + (size_t)(random >> 16) % (g.writer.len - g.data_offset);
            g.bytes[at] = random % 4 == 0 ? 0xff : random % 4 == 1 ? 0 : (uint8_t)(random >> 8);
        }
        if (round % 4 == 0)
            g.writer.len -= (size_t)(random >> 20) % 64;
        expect_alike(form, round % 3 == 0, round);
    }
}
