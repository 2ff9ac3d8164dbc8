/*
 * A session whose record answers late, not in the order in which it was asked, or with a problem: every file still ends
 * once and is kept once, none is sent before the record has answered for it, nothing is sent that was stored earlier or
 * is another session's, and a problem stops it and says why.
 */
#include <string.h>
#include <uv.h>

#include "engine/session.h"
#include "expect.h"
#include "instance/instance.h"
#include "late_record.h"
#include "made_files.h"
#include "serve/loopback.h"

enum { THREADS = 4, STUDIES = 16, EACH = 25, FILES = STUDIES * EACH, FILE_BYTES = 4096, KNOWN_EACH = 4 };

struct watch {
    const char *what;
    struct late_record late;
    struct session *session;
    struct session_result result;
    uv_async_t stop;
    unsigned stop_at; /* files ended; 0 = never */
    unsigned ends, ended[FILES], stored;
};

static void on_stop(uv_async_t *stop)
{
    struct watch *watch = stop->data;
    if (watch->session != NULL)
        session_stop(watch->session, "stopped by the test", NULL);
}

static void on_instance_ended(void *user, const struct instance *instance, const struct session_progress *progress)
{
    struct watch *watch = user;
    const struct outcome *outcome = &instance->outcome;
    unsigned number = late_record_number(instance->file.path);
    bool known = watch->late.known_each > 0 && number % watch->late.known_each == 0;
    watch->ended[number]++;
    EXPECT(watch->ended[number] == 1, "%s: file %u ended %u times", watch->what, number, watch->ended[number]);
    if (outcome->attempts > 0) {
        watch->stored += outcome->state == OUTCOME_STORED;
        EXPECT(watch->late.answered[number], "%s: file %u was sent before the record answered", watch->what, number);
        EXPECT(!known, "%s: file %u was sent again", watch->what, number);
    }
    if (++watch->ends == watch->stop_at)
        uv_async_send(&watch->stop);
}

static void on_session_ended(void *user)
{
    struct watch *watch = user;
    watch->session = NULL;
    uv_close((uv_handle_t *)&watch->stop, NULL);
}

static void check_each_once(const struct watch *watch)
{
    const struct late_record *late = &watch->late;
    const uint64_t *by_state = watch->result.totals.by_state;
    uint64_t sum = 0;
    for (int i = 0; i < OUTCOME_STATE_COUNT; i++)
        sum += by_state[i];
    EXPECT(sum == watch->ends && watch->result.totals.files == watch->ends, "%s: %u ends", watch->what, watch->ends);
    for (unsigned i = 0; i < FILES; i++)
        EXPECT(watch->ended[i] <= 1 && late->kept[i] <= watch->ended[i], "%s: file %u ended %u times, kept %u",
               watch->what, i, watch->ended[i], late->kept[i]);
    EXPECT(late->under_way == 0, "%s: questions are open at the end", watch->what);
    EXPECT(late->kept_unflushed == 0, "%s: %u outcomes are not flushed", watch->what, late->kept_unflushed);
    EXPECT(late->claimed == late->released, "%s: %u studies claimed, %u released", watch->what, late->claimed,
           late->released);
    printf("%s: %u ended, %u stored, %u questions, %u at a time, %u overtaken, %u studies claimed\n", watch->what,
           watch->ends, watch->stored, late->questions, late->most, late->overtaken, late->claimed);
}

static void run(struct watch *watch, const char *what)
{
    static struct made_files files;
    struct loopback *loopback;
    uint16_t port;
    uv_loop_t loop;
    watch->what = what;
    REQUIRE(made_files_create(&files, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    REQUIRE(loopback_start(&loopback, &port) == 0, "no receiver");
    REQUIRE(uv_loop_init(&loop) == 0 && uv_async_init(&loop, &watch->stop, on_stop) == 0, "no loop");
    watch->stop.data = watch;
    late_record_init(&watch->late, &loop);
    const char *inputs[] = {files.folder};
    const struct session_options options = {.association = {.host = "127.0.0.1",
                                                            .port = port,
                                                            .called_ae = "ANY-SCP",
                                                            .calling_ae = "RECORD",
                                                            .timeouts = dicomnet_association_default_timeouts},
                                            .threads = THREADS,
                                            .retry = 2,
                                            .record = &watch->late.record,
                                            .discover = {.inputs = inputs, .input_count = 1},
                                            .log_level = DICOMNET_LOG_WARN};
    const struct session_observer observer = {.user = watch, .instance_ended = on_instance_ended};
    int error = session_start(&watch->session, &loop, &options, &observer, &watch->result, on_session_ended, watch);
    REQUIRE(error == 0, "%s: session_start: %d", what, error);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(uv_loop_close(&loop) == 0, "%s: handles are left", what);
    loopback_stop(loopback);
    check_each_once(watch);
    made_files_remove(&files);
}

static void check_kept(const struct watch *watch)
{
    for (unsigned i = 0; i < FILES; i++) {
        bool known = i % KNOWN_EACH == 0;
        EXPECT(watch->ended[i] == 1, "%s: file %u ended %u times", watch->what, i, watch->ended[i]);
        EXPECT(watch->late.kept[i] == !known, "%s: file %u was kept %u times", watch->what, i, watch->late.kept[i]);
    }
}

static void late(void)
{
    static struct watch watch = {.late = {.slowest_ms = 20, .known_each = KNOWN_EACH, .claims_later = 6}};
    run(&watch, "late");
    check_kept(&watch);
    EXPECT(watch.result.verdict == SESSION_COMPLETE, "verdict %d: %s", watch.result.verdict, watch.result.stop_text);
    EXPECT(watch.result.totals.by_state[OUTCOME_STORED] == FILES, "not all stored");
    EXPECT(watch.stored == FILES - FILES / KNOWN_EACH, "%u sent", watch.stored);
    EXPECT(watch.late.claimed >= STUDIES, "%u claimed", watch.late.claimed);
    EXPECT(session_exit_code(&watch.result) == 0, "exit code");
}

static void not_ours(void)
{
    static struct watch watch = {.late = {.slowest_ms = 5, .known_each = KNOWN_EACH, .not_ours_each = 4}};
    run(&watch, "some of another session");
    check_kept(&watch);
    uint64_t pending = watch.result.totals.by_state[OUTCOME_PENDING];
    EXPECT(watch.result.verdict == SESSION_COMPLETE, "verdict %d", watch.result.verdict);
    EXPECT(pending > 0 && watch.stored + pending == FILES - FILES / KNOWN_EACH, "%u stored, %llu pending", watch.stored,
           (unsigned long long)pending);
    EXPECT(session_exit_code(&watch.result) == 2, "exit code");
}

static void stopped(void)
{
    static struct watch watch = {.late = {.slowest_ms = 20, .claims_later = 3}, .stop_at = 100};
    run(&watch, "stopped");
    EXPECT(watch.result.verdict == SESSION_INTERRUPTED, "verdict %d", watch.result.verdict);
    EXPECT(watch.stored >= 100 && watch.stored < FILES, "%u stored", watch.stored);
}

/* Whatever question it is that cannot be answered. */
static void failing(unsigned fails_at, const char *what)
{
    static struct watch watch;
    watch = (struct watch){.late = {.slowest_ms = 3, .fails_at = fails_at}};
    run(&watch, what);
    EXPECT(watch.result.verdict == SESSION_STOPPED, "%s: verdict %d", what, watch.result.verdict);
    EXPECT(strcmp(watch.result.stop_text, LATE_RECORD_PROBLEM) == 0, "%s: %s", what, watch.result.stop_text);
    EXPECT(watch.stored < FILES, "%s: it went on", what);
    EXPECT(fails_at > 1 || watch.stored == 0, "%s: %u stored", what, watch.stored);
    EXPECT(session_exit_code(&watch.result) != 0, "%s: exit code", what);
}

int main(void)
{
    expect_begin(240);
    late();
    not_ours();
    stopped();
    failing(1, "the first question fails");
    failing(2, "the second question fails");
    failing(5, "the fifth question fails");
    failing(8, "the eighth question fails");
    failing(12, "the twelfth question fails");
    return expect_end();
}
