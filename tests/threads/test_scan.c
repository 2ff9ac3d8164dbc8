/*
 * The scan with many scanners on one loop: every file is found once, with any number of them, in pauses and after them,
 * and with a record that answers late; stopped in the middle it ends, and finds nothing afterwards; a thread that hangs
 * is left behind, and its memory is freed when it comes back.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "engine/scan_feed.h"
#include "expect.h"
#include "instance/instance.h"
#include "late_record.h"
#include "made_files.h"

enum { STUDIES = 8, EACH = 60, FILES = STUDIES * EACH, FILE_BYTES = 2048 };

struct watch {
    struct scan_feed *feed;
    unsigned seen[FILES];
    unsigned found, ended, after_end;
    unsigned stop_at;    /* found; 0 = never */
    unsigned pause_each; /* pause for a while after this number; 0 = never */
    unsigned next_pause;
    int error;
    uv_timer_t timer;
};

static void on_resume(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    if (watch->ended == 0)
        scan_feed_pause(watch->feed, false);
}

static void on_found(void *user, struct instance *instance, struct instance *twin)
{
    struct watch *watch = user;
    unsigned number = (unsigned)atoi(strrchr(instance->file.path, '/') + 1);
    REQUIRE(number < FILES, "%s", instance->file.path);
    watch->seen[number]++;
    watch->found++;
    watch->after_end += watch->ended;
    instance_destroy(instance);
    instance_destroy(twin);
}

static void on_batch_ended(void *user)
{
    struct watch *watch = user;
    if (watch->stop_at > 0 && watch->found >= watch->stop_at)
        scan_feed_cancel(watch->feed);
    if (watch->pause_each == 0 || watch->found < watch->next_pause)
        return;
    watch->next_pause = watch->found + watch->pause_each;
    scan_feed_pause(watch->feed, true);
    uv_timer_start(&watch->timer, on_resume, 5, 0);
}

static void on_record_failed(void *user, const char *problem)
{
    REQUIRE(false, "%s", problem);
}

static void on_ended(void *user, int error)
{
    struct watch *watch = user;
    watch->ended++;
    watch->error = error;
    uv_close((uv_handle_t *)&watch->timer, NULL);
}

static const struct scan_feed_handler handler = {
    .found = on_found, .record_failed = on_record_failed, .batch_ended = on_batch_ended, .ended = on_ended};

/* What to do once, some time after the beginning. */
static void on_cancel(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    scan_feed_cancel(watch->feed);
}

/* One scan. `cancel_ms`: cancelled after that time; 0 = not. */
static void run(const char *what, struct watch *watch, const struct discover_options *discover, unsigned scanners,
                bool with_record, uint64_t cancel_ms)
{
    static struct late_record late;
    uv_loop_t loop;
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    late_record_init(&late, &loop);
    late.slowest_ms = 3;
    uv_timer_init(&loop, &watch->timer);
    watch->timer.data = watch;
    const struct scan_options scan = {0};
    const struct scan_feed_options options = {
        .discover = discover, .scan = &scan, .record = with_record ? &late.record : NULL, .scanners = scanners};
    REQUIRE(scan_feed_start(&watch->feed, &loop, &options, &handler, watch) == 0, "%s: no scan", what);
    if (cancel_ms > 0)
        uv_timer_start(&watch->timer, on_cancel, cancel_ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    REQUIRE(uv_loop_close(&loop) == 0, "%s: handles are left", what);
    EXPECT(watch->ended == 1 && watch->after_end == 0, "%s: ended %u times, %u found afterwards", what, watch->ended,
           watch->after_end);
    struct scan_figures figures = scan_feed_figures(watch->feed);
    EXPECT(scanners == 0 || figures.scanners <= scanners, "%s: %u scanners", what, figures.scanners);
    printf("%s: %u found, %u scanners, error %d\n", what, watch->found, figures.scanners, watch->error);
    scan_feed_destroy(watch->feed);
}

static void expect_all(const char *what, const struct watch *watch)
{
    EXPECT(watch->error == 0, "%s: %d", what, watch->error);
    for (unsigned i = 0; i < FILES; i++)
        EXPECT(watch->seen[i] == 1, "%s: file %u found %u times", what, i, watch->seen[i]);
}

static void whole(const struct discover_options *discover)
{
    static const unsigned numbers[] = {1, 2, 7, 64, 0};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (int with_record = 0; with_record < 2; with_record++) {
            struct watch watch = {.pause_each = 50};
            run("whole", &watch, discover, numbers[i], with_record == 1, 0);
            expect_all("whole", &watch);
        }
}

static void stopped(const struct discover_options *discover)
{
    for (unsigned stop_at = 1; stop_at < FILES; stop_at += 97)
        for (int with_record = 0; with_record < 2; with_record++) {
            struct watch watch = {.stop_at = stop_at};
            run("stopped", &watch, discover, 16, with_record == 1, 0);
            EXPECT(watch.error == -ECANCELED || watch.found == FILES, "stopped: %d", watch.error);
            for (unsigned i = 0; i < FILES; i++)
                EXPECT(watch.seen[i] <= 1, "stopped: file %u found %u times", i, watch.seen[i]);
        }
}

/* A list on standard input that does not come: the thread that reads it is left behind, and goes when it does come. */
static void hanging(const struct discover_options *discover)
{
    int ends[2];
    struct discover_options with_list = *discover;
    struct watch watch = {0};
    REQUIRE(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO, "no pipe");
    close(ends[0]);
    with_list.files_from = "-";
    run("hanging", &watch, &with_list, 4, false, 1500);
    EXPECT(watch.error == -ECANCELED, "hanging: %d", watch.error);
    EXPECT(watch.found == FILES, "hanging: %u found beside it", watch.found);
    close(ends[1]);
    usleep(300 * 1000); /* the thread comes back and frees what it has */
}

int main(void)
{
    expect_begin(200);
    struct made_files files;
    REQUIRE(made_files_create(&files, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    const char *inputs[] = {files.folder};
    const struct discover_options discover = {.inputs = inputs, .input_count = 1};
    whole(&discover);
    stopped(&discover);
    hanging(&discover);
    made_files_remove(&files);
    return expect_end();
}
