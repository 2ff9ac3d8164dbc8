/*
 * fuzz_archive - a whole archive, in which the input is a client and the destination of its C-MOVEs.
 *
 * Input: 1 byte of flags (enum flags); then steps: 1 byte, what (enum step, in the low 3 bits: STEP_SEND_DEAF,
 * STEP_CLOSE, STEP_WAIT; all others are STEP_SEND); 2 bytes, a length n; for those that send, n bytes. A client that is
 * not connected connects. After the last step it closes, or, with FLAG_STOP, the archive is closed while it is still
 * there.
 *
 * What is true of every run: a query has one final answer at most; nothing comes unasked but C-STORE requests of a
 * C-GET; what was kept has a name made from its UID; everything ends within the timeouts, and nothing stays open.
 */
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "archive/archive.h"
#include "dicomnet/query_retrieve.h"
#include "fake_client.h"

enum { TURNS_MAX = 2000 };

enum flags {
    FLAG_KEEP = 1,   /* a folder, empty at first, instead of 8 made-up instances */
    FLAG_STOP = 2,   /* close the archive while the client is there */
    FLAG_NARROW = 4, /* sockets hold little */
    FLAG_REFUSED = 8 /* the destination of a C-MOVE refuses the connection; else it hangs up */
};

struct run {
    uv_loop_t loop;
    struct archive *archive;
    struct fake_client client;
    bool deaf;
    struct dicomnet_association_parameters destination; /* of a C-MOVE */
};

static struct messages requests, answers;

static bool may_be_kept(const char *name)
{
    return strncmp(name, "index.sqlite", 12) == 0 || fake_folder_is_instance(name);
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
        if (!run->deaf)
            moved |= far_end_drain(&run->client.far_end) > 0;
        idle = moved ? 0 : idle + 1;
    }
}

static bool is_query(uint16_t field)
{
    return field == DICOMNET_DIMSE_C_FIND_RQ || field == DICOMNET_DIMSE_C_MOVE_RQ || field == DICOMNET_DIMSE_C_GET_RQ;
}

/* Hold what the client was told so far to what it has sent so far. */
static void check_answers(struct run *run)
{
    fake_client_read(&run->client, &requests, &answers);
    size_t asked = 0, ended = 0;
    for (size_t i = 0; i < requests.count; i++)
        asked += is_query(requests.list[i].command.field);
    for (size_t i = 0; i < answers.count; i++) {
        const struct dicomnet_dimse_command *answer = &answers.list[i].command;
        FUZZ_CHECK((answer->field & DICOMNET_DIMSE_RESPONSE) != 0 || answer->field == DICOMNET_DIMSE_C_STORE_RQ);
        ended += is_query(answer->field & (uint16_t)~DICOMNET_DIMSE_RESPONSE) &&
                 !dicomnet_query_status_is_pending(answer->status);
    }
    FUZZ_CHECK(ended <= asked || requests.broken || requests.count == MESSAGES_MAX);
}

static void close_client(struct run *run)
{
    if (!fake_client_is_connected(&run->client))
        return;
    far_end_drain(&run->client.far_end);
    check_answers(run);
    far_end_close(&run->client.far_end);
}

static void take_step(struct run *run, struct fuzz_input *input)
{
    unsigned what = fuzz_take_u8(input) & 7, n = fuzz_take_u16(input);
    uint64_t until = fake_net_now_ms() + 8 * (uint64_t)n;
    run->deaf = what == STEP_SEND_DEAF;
    if (!fake_client_is_connected(&run->client)) {
        fake_client_connect(&run->client);
        settle(run);
    }
    if (what == STEP_CLOSE) {
        close_client(run);
    } else if (what == STEP_WAIT) {
        while (fake_net_now_ms() < until && fake_net_advance(&run->loop, until - fake_net_now_ms()))
            settle(run);
    } else {
        fake_client_say(&run->client, fuzz_take(input, n));
    }
    settle(run);
    if (fake_client_is_connected(&run->client))
        check_answers(run);
}

static void open_archive(struct run *run, unsigned flags)
{
    run->destination = (struct dicomnet_association_parameters){.host = "destination",
                                                                .port = 104,
                                                                .called_ae = "DESTINATION",
                                                                .max_pdu_len = DICOMNET_ASSOCIATION_MAX_PDU_MIN,
                                                                .timeouts = dicomnet_association_default_timeouts};
    char problem[256];
    struct archive_options options = {.acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                                                   .bind_address = "127.0.0.1",
                                                   .idle_ms = 30000,
                                                   .association = {.ae = "ARCHIVE",
                                                                   .max_pdu_len = DICOMNET_ASSOCIATION_MAX_PDU_MIN,
                                                                   .timeouts = dicomnet_association_default_timeouts}},
                                      .destinations = &run->destination,
                                      .destination_count = 1,
                                      .move_associations = 1 /* fake_net makes one connection at a time */};
    if ((flags & FLAG_KEEP) != 0)
        options.output_dir = fake_folder();
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
    const struct dicomnet_association_timeouts *t = &dicomnet_association_default_timeouts;
    run.client.far_end.fd = -1;
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
        fake_folder_empty(may_be_kept);
    return 0;
}
