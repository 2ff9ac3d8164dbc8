/*
 * Sending while scanning: stores go out before the scan has ended, what is found and has not ended stays bounded, and a
 * study that is found in pieces while it is being sent is stored whole. With scan_first, everything is found before.
 * And instances that are made up, so many or for so long.
 */
#include <string.h>
#include <uv.h>

#include "engine/scan_feed.h"
#include "engine/session.h"
#include "expect.h"
#include "files/synthetic.h"
#include "instance/instance.h"
#include "made_files.h"
#include "serve/loopback.h"

enum { STUDIES = 24, EACH = 1000, FILES = STUDIES * EACH, FILE_BYTES = 2048, FOUND_MAX = 1000 };

struct watch {
    uint64_t ends, before_scan_ended, most_alive;
    char studies[STUDIES][DICOMNET_UID_SIZE];
    int workers[STUDIES]; /* who stored the first instance of each study */
    unsigned study_count, moved;
};

static void watch_study(struct watch *watch, const struct instance *instance)
{
    unsigned i = 0;
    while (i < watch->study_count && strcmp(watch->studies[i], instance->file.study_uid) != 0)
        i++;
    if (i == watch->study_count) {
        REQUIRE(i < STUDIES, "too many studies");
        snprintf(watch->studies[i], DICOMNET_UID_SIZE, "%s", instance->file.study_uid);
        watch->workers[i] = instance->delivery.worker;
        watch->study_count++;
    }
    watch->moved += watch->workers[i] != instance->delivery.worker;
}

static void on_ended(void *user, const struct instance *instance, const struct session_progress *progress)
{
    struct watch *watch = user;
    watch->ends++;
    watch->before_scan_ended += !progress->scan_ended;
    if (progress->totals.by_state[OUTCOME_PENDING] > watch->most_alive)
        watch->most_alive = progress->totals.by_state[OUTCOME_PENDING];
    watch_study(watch, instance);
}

static void on_session_ended(void *user) {}

static struct session_result run(struct session_options *options, struct watch *watch)
{
    static struct session_result result;
    struct loopback *loopback;
    options->association = (struct dicomnet_association_parameters){.host = "127.0.0.1",
                                                                    .called_ae = "ANY-SCP",
                                                                    .calling_ae = "STREAM",
                                                                    .timeouts = dicomnet_association_default_timeouts};
    REQUIRE(loopback_start(&loopback, &options->association.port) == 0, "no receiver");
    if (watch != NULL)
        *watch = (struct watch){0};
    const struct session_observer observer = {.user = watch, .instance_ended = watch != NULL ? on_ended : NULL};
    struct session *session;
    uv_loop_t loop;
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    REQUIRE(session_start(&session, &loop, options, &observer, &result, on_session_ended, NULL) == 0, "session_start");
    uv_run(&loop, UV_RUN_DEFAULT);
    REQUIRE(uv_loop_close(&loop) == 0, "handles are left");
    loopback_stop(loopback);
    return result;
}

static void files(const char *folder, bool scan_first)
{
    static struct watch watch;
    const char *inputs[] = {folder};
    struct session_options options = {.threads = 2,
                                      .found_max = FOUND_MAX,
                                      .scan_first = scan_first,
                                      .discover = {.inputs = inputs, .input_count = 1}};
    struct session_result result = run(&options, &watch);
    printf("%s: %llu alive at most, %llu ended before the scan had\n", scan_first ? "scan first" : "stream",
           (unsigned long long)watch.most_alive, (unsigned long long)watch.before_scan_ended);
    EXPECT(result.totals.by_state[OUTCOME_STORED] == FILES, "%llu stored",
           (unsigned long long)result.totals.by_state[OUTCOME_STORED]);
    EXPECT(watch.study_count == STUDIES, "%u studies", watch.study_count);
    if (scan_first) {
        EXPECT(watch.before_scan_ended == 0 && watch.most_alive >= FILES - 100, "it did not scan first");
        EXPECT(watch.moved == 0, "%u instances went to another worker than their study's", watch.moved);
        return;
    }
    EXPECT(watch.before_scan_ended > 0, "nothing was sent while the scan went on");
    EXPECT(watch.most_alive <= FOUND_MAX + SCAN_FEED_SLACK, "more was found than may wait");
}

static void made_up(uint64_t duration_ms)
{
    const struct synthetic_spec spec = {
        .studies = 4, .instances = 50, .options = {.sop_class = SYNTHETIC_MR, .size_bytes = 4096}};
    struct session_options options = {
        .threads = 2, .synthetic = &spec, .repeat = duration_ms > 0 ? 0 : 3, .duration_ms = duration_ms};
    struct session_result result = run(&options, NULL);
    uint64_t stored = result.totals.by_state[OUTCOME_STORED];
    EXPECT(result.verdict == SESSION_COMPLETE && session_exit_code(&result) == 0, "verdict %d", result.verdict);
    EXPECT(result.totals.files == stored, "%llu files, %llu stored", (unsigned long long)result.totals.files,
           (unsigned long long)stored);
    EXPECT(duration_ms > 0 ? stored > 0 : stored == 600, "%llu stored", (unsigned long long)stored);
}

int main(void)
{
    struct made_files made;
    expect_begin(240);
    REQUIRE(made_files_create(&made, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    files(made.folder, false);
    files(made.folder, true);
    made_files_remove(&made);
    made_up(0);
    made_up(600);
    return expect_end();
}
