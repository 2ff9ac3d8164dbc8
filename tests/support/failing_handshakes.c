/*
 * failing_handshakes - asks for associations over TLS, one after another, each of which is to fail before it is there.
 *
 * usage: failing-handshakes PORT COUNT WARM CA
 *
 * The peer is 127.0.0.1:PORT, and CA whom it should have its certificate from. For every way in which they ended there
 * is a line "TIMES text", and then "descriptors BEFORE AFTER" and "resident BEFORE AFTER", in bytes: after WARM of
 * them, and after all. One that is agreed is an error, and ends the program with 1.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "dicomnet/association.h"
#include "dicomnet/tls.h"

enum { ENDS_MAX = 16, TEXT_SIZE = 320 };

struct use {
    unsigned descriptors;
    size_t resident_bytes;
};

struct run {
    uv_loop_t loop;
    struct dicomnet_association_options options;
    unsigned long wanted, warm, begun;
    bool wrong; /* one was agreed, or could not be asked for */
    struct use before, after;
    struct {
        char text[TEXT_SIZE];
        unsigned long times;
    } ends[ENDS_MAX];
};

static const struct dicomnet_association_handler handler;

static struct use look(void)
{
    struct use use = {0};
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL)
        use.descriptors++;
    if (folder != NULL)
        closedir(folder);
    (void)uv_resident_set_memory(&use.resident_bytes);
    return use;
}

static void count(struct run *run, const char *text)
{
    for (size_t i = 0; i < ENDS_MAX; i++) {
        if (run->ends[i].times == 0)
            snprintf(run->ends[i].text, TEXT_SIZE, "%s", text);
        if (strcmp(run->ends[i].text, text) == 0) {
            run->ends[i].times++;
            return;
        }
    }
}

static void open_next(struct run *run)
{
    struct dicomnet_association *association;
    if (run->begun == run->warm)
        run->before = look();
    if (run->begun == run->wanted) {
        run->after = look();
        return;
    }
    run->begun++;
    if (dicomnet_association_open(&association, &run->loop, &run->options, &handler, run) != 0)
        run->wrong = true;
}

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct run *run = user;
    run->wrong = true;
    dicomnet_association_release(association);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    (void)association;
    struct run *run = user;
    char text[TEXT_SIZE];
    dicomnet_association_describe_end(end, text, sizeof text);
    count(run, text);
    open_next(run);
}

static const struct dicomnet_association_handler handler = {.opened = on_opened, .closed = on_closed};

static int play(struct run *run, uint16_t port, struct dicomnet_tls *tls)
{
    const struct dicomnet_association_proposal proposal = {.abstract_syntax = DICOMNET_UID_VERIFICATION,
                                                           .syntax_count = 1,
                                                           .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}};
    run->options =
        (struct dicomnet_association_options){.size = sizeof run->options,
                                              .parameters = {.host = "127.0.0.1",
                                                             .port = port,
                                                             .called_ae = "ANY-SCP",
                                                             .calling_ae = "TESTS",
                                                             .timeouts = dicomnet_association_default_timeouts,
                                                             .tls = tls},
                                              .proposals = &proposal,
                                              .proposal_count = 1};
    uv_loop_init(&run->loop);
    open_next(run);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&run->loop);
    for (size_t i = 0; i < ENDS_MAX && run->ends[i].times > 0; i++)
        printf("%lu %s\n", run->ends[i].times, run->ends[i].text);
    printf("descriptors %u %u\n", run->before.descriptors, run->after.descriptors);
    printf("resident %zu %zu\n", run->before.resident_bytes, run->after.resident_bytes);
    return left != 0 || run->wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    char why[DICOMNET_TLS_WHY_SIZE];
    struct dicomnet_tls *tls;
    if (argc != 5) {
        fputs("usage: failing-handshakes PORT COUNT WARM CA\n", stderr);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    run.wanted = strtoul(argv[2], NULL, 10);
    run.warm = strtoul(argv[3], NULL, 10);
    const struct dicomnet_tls_options options = {.size = sizeof options, .ca = argv[4]};
    if (dicomnet_tls_create(&tls, &options, why) != 0) {
        fprintf(stderr, "failing-handshakes: %s\n", why);
        return 1;
    }
    int result = play(&run, (uint16_t)strtoul(argv[1], NULL, 10), tls);
    dicomnet_tls_destroy(tls);
    return result;
}
