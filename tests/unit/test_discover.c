/* Walks of trees made for each test. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/discover.h"

static char root[] = "/tmp/discover-XXXXXX";

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    return remove(path);
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(chdir(root), 0);
}

static void tear_down(void)
{
    nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(discover, .init = set_up, .fini = tear_down, .timeout = 60);

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    cr_assert_geq(fd, 0, "%s", path);
    close(fd);
}

static void make_tree(void)
{
    mkdir("d", 0755);
    mkdir("d/sub", 0755);
    mkdir("d/sub/deep", 0755);
    touch("d/b.dcm");
    touch("d/a");
    touch("d/sub/c.dcm");
    touch("d/sub/deep/e.dcm");
    touch("single");
}

/* Everything the walk gives: "path;" for files, "!state:reason:path;" for problems. */
static const char *walk(const struct discover_options *options)
{
    static char text[8192];
    struct discover *discover;
    text[0] = '\0';
    cr_assert_eq(discover_create(&discover, options), 0);
    for (;;) {
        struct discover_entry entry = discover_next(discover);
        char line[1024];
        if (entry.kind == DISCOVER_END)
            break;
        if (entry.kind == DISCOVER_FILE)
            snprintf(line, sizeof line, "%s;", entry.path);
        else
            snprintf(line, sizeof line, "!%s:%s:%s;", outcome_state_name(entry.state),
                     outcome_reason_name(entry.reason), entry.path);
        cr_assert_lt(strlen(text) + strlen(line), sizeof text);
        strcat(text, line);
    }
    cr_expect_eq(discover_next(discover).kind, DISCOVER_END);
    discover_destroy(discover);
    return text;
}

static const char *walk_one(const char *input, bool recursive)
{
    struct discover_options options = {.inputs = &input, .input_count = 1, .recursive = recursive};
    return walk(&options);
}

Test(discover, files_and_folders)
{
    make_tree();
    cr_expect_str_eq(walk_one("single", false), "single;");
    cr_expect_str_eq(walk_one("d", false), "d/a;d/b.dcm;");
    cr_expect_str_eq(walk_one("d/", true), "d/a;d/b.dcm;d/sub/c.dcm;d/sub/deep/e.dcm;");
    cr_expect_str_eq(walk_one("d/sub/deep", true), "d/sub/deep/e.dcm;");
    mkdir("empty", 0755);
    cr_expect_str_eq(walk_one("empty", true), "");
}

Test(discover, many_inputs_in_their_order)
{
    make_tree();
    const char *inputs[] = {"single", "nowhere", "d/sub", "single/below"};
    struct discover_options options = {.inputs = inputs, .input_count = 4};
    cr_expect_str_eq(walk(&options), "single;!failed:missing:nowhere;d/sub/c.dcm;!failed:missing:single/below;");
}

Test(discover, globs)
{
    make_tree();
    touch("[x]");
    touch("x");
    cr_expect_str_eq(walk_one("d/*.dcm", false), "d/b.dcm;");
    cr_expect_str_eq(walk_one("d/*", false), "d/a;d/b.dcm;d/sub/c.dcm;");
    cr_expect_str_eq(walk_one("[x]", false), "[x];");
    cr_expect_str_eq(walk_one("none*", false), "!failed:missing:none*;");
}

Test(discover, pattern)
{
    make_tree();
    const char *input = "d";
    struct discover_options options = {.inputs = &input, .input_count = 1, .recursive = true, .pattern = "*.dcm"};
    cr_expect_str_eq(walk(&options), "d/b.dcm;d/sub/c.dcm;d/sub/deep/e.dcm;");
    options.pattern = "[ae]*";
    cr_expect_str_eq(walk(&options), "d/a;d/sub/deep/e.dcm;");
}

Test(discover, strange_names)
{
    mkdir("d", 0755);
    touch("d/-r");
    touch("d/two\nlines");
    touch("d/\xff\xfe");
    touch("d/.hidden");
    touch("-dash");
    cr_expect_str_eq(walk_one("d", false), "d/-r;d/.hidden;d/two\nlines;d/\xff\xfe;");
    cr_expect_str_eq(walk_one("-dash", false), "-dash;");
}

static void write_list(const char *bytes, size_t len)
{
    int fd = open("list", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

Test(discover, files_from)
{
    make_tree();
    const char *input = "single";
    struct discover_options options = {.inputs = &input, .input_count = 1, .files_from = "list"};
    write_list("d/a\n\nd/sub\ngone*\nd/b.dcm", 24);
    cr_expect_str_eq(walk(&options), "single;d/a;d/sub/c.dcm;!failed:missing:gone*;d/b.dcm;");
    touch("d/two\nlines");
    write_list("d/two\nlines\0d/a\0", 16);
    options.nul_separated = true;
    cr_expect_str_eq(walk(&options), "single;d/two\nlines;d/a;");
    options.files_from = "-";
    cr_assert_not_null(freopen("list", "r", stdin));
    cr_expect_str_eq(walk(&options), "single;d/two\nlines;d/a;");
    options.files_from = "no list";
    struct discover *discover;
    cr_expect_eq(discover_create(&discover, &options), -ENOENT);
    /* A folder opens, but cannot be read. */
    options.files_from = "d";
    cr_expect_str_eq(walk(&options), "single;!failed:unreadable:d;");
}

Test(discover, symlinks)
{
    make_tree();
    cr_assert_eq(symlink("../single", "d/link"), 0);
    cr_assert_eq(symlink("..", "d/sub/up"), 0);
    cr_assert_eq(symlink("d", "way"), 0);
    cr_assert_eq(symlink("nothing", "d/broken"), 0);
    cr_assert_eq(symlink("itself", "d/itself"), 0);
    /* Below the inputs they are passed over, whatever they point at; an input may be one. */
    cr_expect_str_eq(walk_one("d", true), "d/a;d/b.dcm;d/sub/c.dcm;d/sub/deep/e.dcm;");
    cr_expect_str_eq(walk_one("way", false), "way/a;way/b.dcm;");
    const char *inputs[] = {"d", "d/link", "way"};
    struct discover_options options = {.inputs = inputs, .input_count = 3, .recursive = true, .follow_symlinks = true};
    cr_expect_str_eq(walk(&options), "d/a;d/b.dcm;!failed:missing:d/broken;!failed:unreadable:d/itself;d/link;"
                                     "d/sub/c.dcm;d/sub/deep/e.dcm;");
}

Test(discover, what_is_no_file)
{
    mkdir("d", 0755);
    cr_assert_eq(mkfifo("d/fifo", 0644), 0);
    touch("d/file");
    cr_expect_str_eq(walk_one("d", true), "!skipped:not-a-file:d/fifo;d/file;");
    cr_expect_str_eq(walk_one("d/fifo", false), "!skipped:not-a-file:d/fifo;");
    cr_expect_str_eq(walk_one("/dev/null", false), "!skipped:not-a-file:/dev/null;");
}

Test(discover, unreadable_folder)
{
    make_tree();
    cr_assert_eq(chmod("d/sub", 0), 0);
    cr_assert_eq(chmod(root, 0755), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    const char *found = walk_one("d", true);
    cr_expect_str_eq(found, "d/a;d/b.dcm;!failed:unreadable:d/sub;");
    cr_expect_str_eq(walk_one("d/sub/c.dcm", false), "!failed:unreadable:d/sub/c.dcm;");
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod("d/sub", 0755), 0);
}

/* A branch deeper than descriptors would reach, and a folder larger than what is sorted. */
Test(discover, deep_and_wide)
{
    enum { DEPTH = 1500, WIDTH = 66000 };
    cr_assert_eq(mkdir("deep", 0755), 0);
    cr_assert_eq(chdir("deep"), 0);
    for (int i = 0; i < DEPTH; i++)
        cr_assert(mkdir("x", 0755) == 0 && chdir("x") == 0);
    touch("end");
    cr_assert_eq(chdir(root), 0);
    const char *inputs[] = {"deep", "wide"};
    mkdir("wide", 0755);
    char path[32];
    for (int i = 0; i < WIDTH; i++) {
        snprintf(path, sizeof path, "wide/%05d", i);
        touch(path);
    }
    struct discover_options options = {.inputs = inputs, .input_count = 2, .recursive = true};
    struct discover *discover;
    cr_assert_eq(discover_create(&discover, &options), 0);
    struct discover_entry entry = discover_next(discover);
    cr_expect_eq(entry.kind, DISCOVER_FILE);
    cr_expect_eq(strlen(entry.path), 4 + 2 * DEPTH + 4);
    static bool seen[WIDTH];
    int count = 0;
    while ((entry = discover_next(discover)).kind != DISCOVER_END) {
        int number = atoi(entry.path + 5);
        cr_assert_not(seen[number]);
        seen[number] = true;
        count++;
    }
    cr_expect_eq(count, WIDTH);
    discover_destroy(discover);
}
