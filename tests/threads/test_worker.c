/*
 * Eight workers store four hundred instances in a receiver on a thread of its own: to the end, told to stop in the
 * middle, and told to stop at once. Every instance comes home exactly once.
 */
#include <string.h>

#include "dispatcher.h"
#include "expect.h"
#include "made_files.h"
#include "serve/loopback.h"

enum { WORKERS = 8, STUDIES = 20, EACH = 20, FILES = STUDIES * EACH, FILE_BYTES = 30000, NEVER = FILES + 1 };

struct run {
    struct made_files *files;
    unsigned seen[FILES];
    unsigned stop_at; /* instances home */
    unsigned stop_now_at;
};

static unsigned number_of(const struct instance *instance)
{
    return (unsigned)atoi(strrchr(instance->file.path, '/') + 1);
}

static void on_instance(struct dispatcher *dispatcher, const struct instance *instance)
{
    struct run *run = dispatcher->user;
    unsigned number = number_of(instance);
    run->seen[number]++;
    EXPECT(run->seen[number] == 1, "instance %u came home %u times", number, run->seen[number]);
    if (instance->outcome.state == OUTCOME_STORED)
        EXPECT(instance->delivery.worker >= 1 && instance->delivery.worker <= WORKERS &&
                   instance->outcome.attempts == 1,
               "instance %u: worker %d, %u attempts", number, instance->delivery.worker, instance->outcome.attempts);
    if (dispatcher->instances == run->stop_at)
        dispatcher_stop(dispatcher, false);
    if (dispatcher->instances == run->stop_now_at)
        dispatcher_stop(dispatcher, true);
}

static void check(const struct dispatcher *dispatcher, const struct run *run, const char *what)
{
    const unsigned *by_state = dispatcher->by_state;
    EXPECT(dispatcher->instances == FILES, "%s: %u came home", what, dispatcher->instances);
    for (unsigned i = 0; i < FILES; i++)
        EXPECT(run->seen[i] == 1, "%s: instance %u came home %u times", what, i, run->seen[i]);
    EXPECT(by_state[OUTCOME_FAILED] + by_state[OUTCOME_WARNED] + by_state[OUTCOME_SKIPPED] == 0, "%s: %u failed", what,
           by_state[OUTCOME_FAILED]);
    EXPECT(dispatcher->came[MAIL_OPENED] <= dispatcher->came[MAIL_ENDED], "%s: %u opened, %u ended", what,
           dispatcher->came[MAIL_OPENED], dispatcher->came[MAIL_ENDED]);
    printf("%s: %u stored, %u pending, %u in doubt, %u associations\n", what, by_state[OUTCOME_STORED],
           by_state[OUTCOME_PENDING], by_state[OUTCOME_IN_DOUBT], dispatcher->came[MAIL_ENDED]);
}

static void run_workers(unsigned stop_at, unsigned stop_now_at, const char *what)
{
    static struct dispatcher dispatcher;
    static struct run run;
    struct made_files files;
    struct loopback *loopback;
    uint16_t port;
    REQUIRE(loopback_start(&loopback, &port) == 0, "no receiver");
    REQUIRE(made_files_create(&files, STUDIES, EACH, FILE_BYTES) == 0, "no files");
    run = (struct run){.files = &files, .stop_at = stop_at, .stop_now_at = stop_now_at};
    dispatcher_init(&dispatcher, port);
    dispatcher.on_instance = on_instance;
    dispatcher.user = &run;
    for (unsigned i = 0; i < FILES; i++) {
        REQUIRE(plan_add(&dispatcher.plan, files.instances[i]) == 0, "no memory");
        files.instances[i] = NULL;
    }
    dispatcher_run(&dispatcher, WORKERS);
    check(&dispatcher, &run, what);
    if (stop_at == NEVER && stop_now_at == NEVER) {
        EXPECT(dispatcher.by_state[OUTCOME_STORED] == FILES, "%s: %u stored", what,
               dispatcher.by_state[OUTCOME_STORED]);
        EXPECT(dispatcher.came[MAIL_WORK_DONE] == STUDIES, "%s: %u works", what, dispatcher.came[MAIL_WORK_DONE]);
    } else {
        EXPECT(dispatcher.by_state[OUTCOME_STORED] < FILES, "%s: it did not stop", what);
        EXPECT(dispatcher.by_state[OUTCOME_PENDING] > 0, "%s: nothing is pending", what);
    }
    if (stop_now_at == NEVER)
        EXPECT(dispatcher.by_state[OUTCOME_IN_DOUBT] == 0, "%s: what is in flight is finished", what);
    made_files_remove(&files);
    loopback_stop(loopback);
}

int main(void)
{
    expect_begin(240);
    run_workers(NEVER, NEVER, "to the end");
    run_workers(50, NEVER, "stop");
    run_workers(NEVER, 50, "stop now");
    run_workers(40, 45, "stop, stop now");
    run_workers(1, NEVER, "stop at the first");
    return expect_end();
}
