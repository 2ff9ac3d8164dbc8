/*
 * fuzz_archive - a whole archive, in which the input is a client and the destination of its C-MOVEs.
 *
 * Input: 1 byte of flags (enum flags); then steps: 1 byte, what (enum step, in the low 3 bits); 2 bytes, a length n;
 * for those that send, n bytes. A client that is not connected connects. After the last step it closes, or, with
 * FLAG_STOP, the archive is closed while it is still there.
 *
 * What is true of every run: a query has one final answer at most; nothing comes unasked but C-STORE requests of a
 * C-GET; what was kept has a name made from its UID; everything ends within the timeouts, and nothing stays open.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "archive/archive.h"
#include "dicomnet/query_retrieve.h"
#include "fake_net.h"
#include "messages.h"

enum { GIVEN_SIZE = 64 * 1024, ANSWERS_SIZE = 256 * 1024, TURNS_MAX = 2000 };

enum flags {
    FLAG_KEEP = 1,   /* a folder, empty at first, instead of 8 made-up instances */
    FLAG_STOP = 2,   /* close the archive while the client is there */
    FLAG_NARROW = 4, /* sockets hold little */
    FLAG_REFUSED = 8 /* the destination of a C-MOVE refuses the connection; else it hangs up */
};

enum step {
    STEP_SEND = 0,      /* and every other */
    STEP_SEND_DEAF = 2, /* without reading what comes */
    STEP_CLOSE = 4,
    STEP_WAIT = 5 /* n times 8 milliseconds */
};

struct run {
    uv_loop_t loop;
    struct archive *archive;
    struct far_end client;
    bool deaf;
    size_t given_len;
    uint8_t given[GIVEN_SIZE];
    uint8_t received[ANSWERS_SIZE];
};

static struct messages requests, answers;
static char folder[64];

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    FUZZ_CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        FUZZ_CHECK(strncmp(entry->d_name, "index.sqlite", 12) == 0 ||
                   (entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".dcm") == 0));
        FUZZ_CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
    }
    closedir(dir);
}

static void remove_folder(void)
{
    rmdir(folder);
}

static const char *keep_folder(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "/tmp/fuzz-archive-XXXXXX");
        FUZZ_CHECK(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return folder;
}

/* Turns of the loop until nothing moves any more. The destination hangs up. */
static void settle(struct run *run)
{
    for (int idle = 0, turns = 0; idle < 2 && turns < TURNS_MAX; turns++) {
        fake_net_turn(&run->loop);
        int destination = fake_net_take_peer();
        bool moved = destination >= 0;
        if (destination >= 0)
            close(destination);
        if (!run->deaf && run->client.fd >= 0)
            moved |= far_end_drain(&run->client) > 0;
        idle = moved ? 0 : idle + 1;
    }
}

static bool is_query(uint16_t field)
{
    return field == DIMSE_C_FIND_RQ || field == DIMSE_C_MOVE_RQ || field == DIMSE_C_GET_RQ;
}

/* Hold what the client was told so far to what it has sent so far. */
static void check_answers(struct run *run)
{
    messages_begin(&requests);
    messages_read(&requests, run->given, run->given_len);
    messages_begin(&answers);
    messages_read(&answers, run->received, run->client.len);
    FUZZ_CHECK(!answers.broken || run->client.total > sizeof run->received || answers.count == MESSAGES_MAX);
    size_t asked = 0, ended = 0;
    for (size_t i = 0; i < requests.count; i++)
        asked += is_query(requests.list[i].command.field);
    for (size_t i = 0; i < answers.count; i++) {
        const struct dimse_command *answer = &answers.list[i].command;
        FUZZ_CHECK((answer->field & DIMSE_RESPONSE) != 0 || answer->field == DIMSE_C_STORE_RQ);
        ended += is_query(answer->field & (uint16_t)~DIMSE_RESPONSE) && !query_status_is_pending(answer->status);
    }
    FUZZ_CHECK(ended <= asked || requests.broken || requests.count == MESSAGES_MAX);
}

static void close_client(struct run *run)
{
    if (run->client.fd < 0)
        return;
    far_end_drain(&run->client);
    check_answers(run);
    far_end_close(&run->client);
}

static void give(struct run *run, struct fuzz_input bytes)
{
    if (bytes.len > GIVEN_SIZE - run->given_len)
        bytes.len = GIVEN_SIZE - run->given_len;
    size_t len = far_end_send(&run->client, bytes);
    memcpy(run->given + run->given_len, bytes.data, len);
    run->given_len += len;
}

static void take_step(struct run *run, struct fuzz_input *input)
{
    unsigned what = fuzz_take_u8(input) & 7, n = fuzz_take_u16(input);
    uint64_t until = fake_net_now_ms() + 8 * (uint64_t)n;
    run->deaf = what == STEP_SEND_DEAF;
    if (run->client.fd < 0) {
        run->given_len = 0;
        run->client = (struct far_end){.fd = fake_net_dial(), .received = run->received, .size = ANSWERS_SIZE};
        settle(run);
    }
    if (what == STEP_CLOSE) {
        close_client(run);
    } else if (what == STEP_WAIT) {
        while (fake_net_now_ms() < until && fake_net_advance(&run->loop, until - fake_net_now_ms()))
            settle(run);
    } else {
        give(run, fuzz_take(input, n));
    }
    settle(run);
    if (run->client.fd >= 0)
        check_answers(run);
}

static void open_archive(struct run *run, unsigned flags)
{
    static const struct archive_peer peer = {.ae = "DESTINATION", .host = "destination", .port = 104};
    char problem[256];
    struct archive_options options = {.acceptor = {.bind_address = "127.0.0.1",
                                                   .association = {.ae = "ARCHIVE",
                                                                   .max_pdu_len = ASSOCIATION_MAX_PDU_MIN,
                                                                   .timeouts = association_default_timeouts}},
                                      .peers = &peer,
                                      .peer_count = 1,
                                      .move_associations = 1 /* fake_net makes one connection at a time */,
                                      .timeouts = association_default_timeouts};
    if ((flags & FLAG_KEEP) != 0)
        options.output_dir = keep_folder();
    else
        options.synthetic =
            (struct synthetic_population){.studies = 2, .series = 2, .instances = 2, .size_bytes = 2048};
    FUZZ_CHECK(archive_open(&run->archive, &run->loop, &options, problem, sizeof problem) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input);
    const struct association_timeouts *t = &association_default_timeouts;
    run.client.fd = -1;
    run.deaf = false;
    fake_net_begin((flags & FLAG_REFUSED) != 0, (flags & FLAG_NARROW) != 0);
    FUZZ_CHECK(uv_loop_init(&run.loop) == 0);
    open_archive(&run, flags);
    while (input.len > 0)
        take_step(&run, &input);
    run.deaf = false;
    if ((flags & FLAG_STOP) == 0)
        close_client(&run);
    settle(&run);
    archive_close(run.archive);
    settle(&run);
    uint64_t until = fake_net_now_ms() + t->acse_ms + t->network_ms + t->release_ms + 5000;
    while (uv_loop_alive(&run.loop)) {
        FUZZ_CHECK(fake_net_now_ms() < until && fake_net_advance(&run.loop, 1000 * 1000));
        settle(&run);
    }
    close_client(&run);
    fake_net_end_loop(&run.loop);
    if ((flags & FLAG_KEEP) != 0)
        empty_folder();
    return 0;
}
