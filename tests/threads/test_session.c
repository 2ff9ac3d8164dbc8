/*
 * Whole sessions against a receiver in this process, with eight threads: the totals are exact; and stopped in the
 * middle, and once more at once, every file still ends exactly once. Two sessions share a loop and each has its own
 * result, also if one of them is stopped. One that cannot begin leaves nothing behind.
 */
#include <string.h>
#include <uv.h>

#include "engine/session.h"
#include "expect.h"
#include "instance/instance.h"
#include "made_files.h"
#include "serve/loopback.h"

enum { THREADS = 8, STUDIES = 16, EACH = 25, FILES = STUDIES * EACH, FILE_BYTES = 40000, NEVER = FILES + 1 };

/* One session, and what its observer saw. */
struct job {
    const char *what;
    struct made_files files;
    const char *inputs[1];
    struct session_options options;
    struct session_observer observer;
    struct session *session; /* NULL = it has ended */
    struct session_result result;
    uv_async_t stop;
    unsigned ended[FILES];
    unsigned ends, associations, all_ended;
    unsigned stop_at, stop_now_at; /* files ended */
    unsigned stops;
};

static void on_stop(uv_async_t *stop)
{
    struct job *job = stop->data;
    if (job->session == NULL)
        return;
    if (job->stops++ == 0)
        session_stop(job->session, "stopped by the test", NULL);
    else
        session_stop_now(job->session, "stopped at once");
}

static void on_instance_ended(void *user, const struct instance *instance, const struct session_progress *progress)
{
    struct job *job = user;
    unsigned number = (unsigned)atoi(strrchr(instance->file.path, '/') + 1);
    job->ended[number]++;
    job->ends++;
    EXPECT(job->ended[number] == 1, "%s: file %u ended %u times", job->what, number, job->ended[number]);
    EXPECT(job->all_ended == 0, "%s: an instance after the end", job->what);
    if (job->ends == job->stop_at || job->ends == job->stop_now_at)
        uv_async_send(&job->stop); /* on the loop, and not from within this call */
}

static void on_association_ended(void *user, const struct association_figures *figures)
{
    ((struct job *)user)->associations++;
}

static void on_session_ended(void *user)
{
    struct job *job = user;
    job->session = NULL;
    job->all_ended++;
    uv_close((uv_handle_t *)&job->stop, NULL);
}

static void begin(struct job *job, uv_loop_t *loop, uint16_t port, const char *what)
{
    unsigned stop_at = job->stop_at, stop_now_at = job->stop_now_at;
    *job = (struct job){.what = what, .stop_at = stop_at, .stop_now_at = stop_now_at, .stop.data = job};
    REQUIRE(made_files_create(&job->files, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    job->inputs[0] = job->files.folder;
    job->options = (struct session_options){.association = {.host = "127.0.0.1",
                                                            .port = port,
                                                            .called_ae = "ANY-SCP",
                                                            .calling_ae = "SESSION",
                                                            .timeouts = dicomnet_association_default_timeouts},
                                            .threads = THREADS,
                                            .verify = true,
                                            .retry = 2,
                                            .scan_first = stop_at < NEVER, /* else it may stop before it finds all */
                                            .discover = {.inputs = job->inputs, .input_count = 1},
                                            .log_level = DICOMNET_LOG_DEBUG};
    job->observer = (struct session_observer){
        .user = job, .instance_ended = on_instance_ended, .association_ended = on_association_ended};
    REQUIRE(uv_async_init(loop, &job->stop, on_stop) == 0, "no handle");
    int error = session_start(&job->session, loop, &job->options, &job->observer, &job->result, on_session_ended, job);
    REQUIRE(error == 0, "%s: session_start: %d", what, error);
}

static uint64_t sum(const struct session_totals *totals)
{
    uint64_t all = 0;
    for (int i = 0; i < OUTCOME_STATE_COUNT; i++)
        all += totals->by_state[i];
    return all;
}

static void check(struct job *job)
{
    const char *what = job->what;
    const uint64_t *by_state = job->result.totals.by_state;
    EXPECT(job->all_ended == 1, "%s: it ended %u times", what, job->all_ended);
    EXPECT(job->ends == FILES, "%s: %u ends", what, job->ends);
    for (unsigned i = 0; i < FILES; i++)
        EXPECT(job->ended[i] == 1, "%s: file %u ended %u times", what, i, job->ended[i]);
    EXPECT(job->result.totals.files == FILES && sum(&job->result.totals) == FILES, "%s: %llu files, %llu outcomes",
           what, (unsigned long long)job->result.totals.files, (unsigned long long)sum(&job->result.totals));
    EXPECT(by_state[OUTCOME_FAILED] == 0, "%s: some failed", what);
    printf("%s: %llu stored, %llu pending, %llu in doubt, %u associations\n", what,
           (unsigned long long)by_state[OUTCOME_STORED], (unsigned long long)by_state[OUTCOME_PENDING],
           (unsigned long long)by_state[OUTCOME_IN_DOUBT], job->associations);
    made_files_remove(&job->files);
}

static void check_whole(const struct job *job)
{
    const struct session_result *result = &job->result;
    const struct session_totals *totals = &result->totals;
    EXPECT(result->verdict == SESSION_COMPLETE, "%s: verdict %d", job->what, result->verdict);
    EXPECT(totals->by_state[OUTCOME_STORED] == FILES, "%s: not all stored", job->what);
    EXPECT(totals->studies == STUDIES, "%s: %llu studies", job->what, (unsigned long long)totals->studies);
    EXPECT(totals->bytes_stored == totals->bytes_found, "%s: bytes found and stored differ", job->what);
    EXPECT(result->response.count == FILES, "%s: %llu response times", job->what,
           (unsigned long long)result->response.count);
    EXPECT(job->associations >= 1 && job->associations <= STUDIES, "%s: %u associations", job->what, job->associations);
    EXPECT(session_exit_code(result) == 0, "%s: exit code", job->what);
}

static void check_stopped(const struct job *job)
{
    const uint64_t *by_state = job->result.totals.by_state;
    EXPECT(job->result.verdict == SESSION_INTERRUPTED, "%s: verdict %d", job->what, job->result.verdict);
    EXPECT(strcmp(job->result.stop_text, "stopped by the test") == 0, "%s: %s", job->what, job->result.stop_text);
    EXPECT(by_state[OUTCOME_PENDING] > 0, "%s: nothing is pending", job->what);
    EXPECT(by_state[OUTCOME_STORED] >= job->stop_at, "%s: not what had been stored", job->what);
    EXPECT(job->stop_now_at != NEVER || by_state[OUTCOME_IN_DOUBT] == 0, "%s: what is in flight is finished",
           job->what);
    EXPECT(session_exit_code(&job->result) == 130, "%s: exit code", job->what);
}

/* So many jobs side by side, to their ends. */
static void run(struct job *const jobs[], const char *const names[], size_t count)
{
    uv_loop_t loop;
    struct loopback *loopback;
    uint16_t port;
    REQUIRE(loopback_start(&loopback, &port) == 0, "no receiver");
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    for (size_t i = 0; i < count; i++)
        begin(jobs[i], &loop, port, names[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(uv_loop_close(&loop) == 0, "%s: handles are left", names[0]);
    loopback_stop(loopback);
    for (size_t i = 0; i < count; i++)
        check(jobs[i]);
}

static struct job job, other;

static void to_the_end(void)
{
    job.stop_at = job.stop_now_at = NEVER;
    run((struct job *const[]){&job}, (const char *const[]){"to the end"}, 1);
    check_whole(&job);
}

static void stopped(unsigned stop_now_at, const char *what)
{
    job.stop_at = 60;
    job.stop_now_at = stop_now_at;
    run((struct job *const[]){&job}, (const char *const[]){what}, 1);
    check_stopped(&job);
}

static void side_by_side(void)
{
    job.stop_at = job.stop_now_at = other.stop_now_at = NEVER;
    other.stop_at = 60;
    run((struct job *const[]){&job, &other}, (const char *const[]){"one", "the other, stopped"}, 2);
    check_whole(&job);
    check_stopped(&other);
}

static void cannot_begin(void)
{
    static struct session_result result;
    const struct session_observer observer = {0};
    const struct session_options options = {.threads = 1, .discover = {.files_from = "/nonexistent/list"}};
    struct session *session;
    uv_loop_t loop;
    REQUIRE(uv_loop_init(&loop) == 0, "no loop");
    EXPECT(session_start(&session, &loop, &options, &observer, &result, on_session_ended, &job) < 0, "it began");
    EXPECT(session == NULL, "there is a session");
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(uv_loop_close(&loop) == 0, "handles are left");
}

int main(void)
{
    expect_begin(240);
    to_the_end();
    stopped(NEVER, "stopped");
    stopped(61, "stopped, and at once");
    side_by_side();
    cannot_begin();
    return expect_end();
}
