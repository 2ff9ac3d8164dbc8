/*
 * A whole session against a receiver in this process, with eight threads: the totals are exact; and interrupted by
 * SIGINT in the middle, once and twice, every file still ends exactly once.
 */
#include <signal.h>
#include <string.h>

#include "engine/session.h"
#include "expect.h"
#include "instance/instance.h"
#include "made_files.h"

enum { THREADS = 8, STUDIES = 16, EACH = 25, FILES = STUDIES * EACH, FILE_BYTES = 40000, NEVER = FILES + 1 };

struct watch {
    unsigned ended[FILES];
    unsigned ends, associations;
    unsigned interrupt_at, again_at; /* files ended */
};

static void on_ended(void *user, const struct instance *instance, const struct session_progress *progress)
{
    struct watch *watch = user;
    unsigned number = (unsigned)atoi(strrchr(instance->file.path, '/') + 1);
    watch->ended[number]++;
    watch->ends++;
    EXPECT(watch->ended[number] == 1, "file %u ended %u times", number, watch->ended[number]);
    if (watch->ends == watch->interrupt_at || watch->ends == watch->again_at)
        kill(getpid(), SIGINT);
}

static void on_association_ended(void *user, const struct association_figures *figures)
{
    ((struct watch *)user)->associations++;
}

static uint64_t sum(const struct session_totals *totals)
{
    uint64_t all = 0;
    for (int i = 0; i < OUTCOME_STATE_COUNT; i++)
        all += totals->by_state[i];
    return all;
}

static struct session_result run(struct watch *watch, unsigned interrupt_at, unsigned again_at, const char *what)
{
    static struct session_result result;
    struct made_files files;
    REQUIRE(made_files_create(&files, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    const char *inputs[] = {files.folder};
    const struct session_options options = {.association = {.called_ae = "ANY-SCP",
                                                            .calling_ae = "SESSION",
                                                            .timeouts = dicomnet_association_default_timeouts},
                                            .loopback = true,
                                            .threads = THREADS,
                                            .verify = true,
                                            .retry = 2,
                                            .discover = {.inputs = inputs, .input_count = 1},
                                            .log_level = DICOMNET_LOG_DEBUG};
    *watch = (struct watch){.interrupt_at = interrupt_at, .again_at = again_at};
    const struct session_observer observer = {
        .user = watch, .instance_ended = on_ended, .association_ended = on_association_ended};
    int error = session_run(&options, &observer, &result);
    EXPECT(error == 0, "%s: session_run: %d", what, error);
    EXPECT(watch->ends == FILES, "%s: %u ends", what, watch->ends);
    for (unsigned i = 0; i < FILES; i++)
        EXPECT(watch->ended[i] == 1, "%s: file %u ended %u times", what, i, watch->ended[i]);
    EXPECT(result.totals.files == FILES && sum(&result.totals) == FILES, "%s: %llu files, %llu outcomes", what,
           (unsigned long long)result.totals.files, (unsigned long long)sum(&result.totals));
    EXPECT(result.totals.by_state[OUTCOME_FAILED] == 0, "%s: some failed", what);
    printf("%s: %llu stored, %llu pending, %llu in doubt, %u associations\n", what,
           (unsigned long long)result.totals.by_state[OUTCOME_STORED],
           (unsigned long long)result.totals.by_state[OUTCOME_PENDING],
           (unsigned long long)result.totals.by_state[OUTCOME_IN_DOUBT], watch->associations);
    made_files_remove(&files);
    return result;
}

static void to_the_end(void)
{
    static struct watch watch;
    struct session_result result = run(&watch, NEVER, NEVER, "to the end");
    EXPECT(result.verdict == SESSION_COMPLETE, "verdict %d", result.verdict);
    EXPECT(result.totals.by_state[OUTCOME_STORED] == FILES, "not all stored");
    EXPECT(result.totals.studies == STUDIES, "%llu studies", (unsigned long long)result.totals.studies);
    EXPECT(result.totals.bytes_stored == result.totals.bytes_found, "bytes found and stored differ");
    EXPECT(result.response.count == FILES, "%llu response times", (unsigned long long)result.response.count);
    EXPECT(watch.associations >= 1 && watch.associations <= STUDIES, "%u associations", watch.associations);
    EXPECT(session_exit_code(&result) == 0, "exit code");
}

static void interrupted(unsigned again_at, const char *what)
{
    static struct watch watch;
    struct session_result result = run(&watch, 60, again_at, what);
    EXPECT(result.verdict == SESSION_INTERRUPTED, "%s: verdict %d", what, result.verdict);
    EXPECT(result.totals.by_state[OUTCOME_PENDING] > 0, "%s: nothing is pending", what);
    EXPECT(result.totals.by_state[OUTCOME_STORED] >= 60, "%s: not what had been stored", what);
    EXPECT(again_at != NEVER || result.totals.by_state[OUTCOME_IN_DOUBT] == 0, "%s: what is in flight is finished",
           what);
    EXPECT(session_exit_code(&result) == 130, "%s: exit code", what);
}

int main(void)
{
    expect_begin(240);
    to_the_end();
    interrupted(NEVER, "interrupted");
    interrupted(61, "interrupted twice");
    return expect_end();
}
