/* lookahead - see lookahead.h. */
#include "engine/lookahead.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "engine/readers.h"
#include "files/held_files.h"
#include "instance/instance.h"

/* ---- pieces of large files: each is a reading ---- */

static struct lookahead *of(struct piece_reader *reader)
{
    return list_entry(reader, struct lookahead, pieces);
}

static struct piece *ask_piece(struct piece_reader *reader, struct held_file *held, uint64_t offset, size_t len)
{
    return (struct piece *)readers_ask_piece(of(reader)->options->readers, held, offset, len);
}

static ssize_t wait_piece(struct piece_reader *reader, struct piece *piece, const uint8_t **ret_bytes)
{
    const struct lookahead_options *options = of(reader)->options;
    return readers_wait_piece(options->readers, (struct reading *)piece, options->timeout_ms, ret_bytes);
}

static void forget_piece(struct piece_reader *reader, struct piece *piece)
{
    readers_forget(of(reader)->options->readers, (struct reading *)piece);
}

/* ---- the files whose turn comes next ---- */

void lookahead_init(struct lookahead *lookahead, const struct lookahead_options *options)
{
    *lookahead = (struct lookahead){.pieces = {.ask = ask_piece, .wait = wait_piece, .forget = forget_piece},
                                    .options = options};
}

/* Where it is in the list; `count` if it is not. Mostly it is the first that is looked for. */
static unsigned find(const struct lookahead *lookahead, const struct instance *instance, unsigned from)
{
    for (unsigned i = from; i < lookahead->count; i++)
        if (lookahead->list[i].instance == instance)
            return i;
    for (unsigned i = 0; i < from && i < lookahead->count; i++)
        if (lookahead->list[i].instance == instance)
            return i;
    return lookahead->count;
}

/* Its reading is the caller's. */
static struct reading *take_out(struct lookahead *lookahead, unsigned place)
{
    struct reading *reading = lookahead->list[place].reading;
    lookahead->bytes -= reading_size(reading);
    lookahead->count--;
    memmove(&lookahead->list[place], &lookahead->list[place + 1],
            (lookahead->count - place) * sizeof lookahead->list[0]);
    return reading;
}

/* Nothing of it has to be fetched from its storage. */
static bool is_there(const struct instance *instance)
{
    const struct held_file *held = held_file_of(instance);
    return instance->file.source != SOURCE_FILE ||
           (held != NULL && held->len >= instance->file.size_bytes && held_file_is_fresh(held));
}

/* False if there is no room. */
static bool ask_for(struct lookahead *lookahead, struct instance *instance)
{
    if (lookahead->count == READ_AHEAD_DEPTH_MAX || lookahead->bytes >= lookahead->options->bytes_max)
        return false;
    bool was_open = instance->hold != NULL;
    struct reading *reading = readers_ask(lookahead->options->readers, instance);
    if (reading == NULL)
        return false;
    lookahead->bytes += reading_size(reading);
    lookahead->list[lookahead->count].instance = instance;
    lookahead->list[lookahead->count].was_open = was_open;
    lookahead->list[lookahead->count++].reading = reading;
    return true;
}

static void measure(struct lookahead *lookahead)
{
    const struct held_files *scan = lookahead->options->scan;
    const struct read_ahead_scan found = {.slow = scan != NULL && held_files_are_slow(scan),
                                          .remote = scan != NULL && held_files_are_remote(scan)};
    lookahead->depth = read_ahead_depth(&lookahead->pace, &found);
    if (lookahead->depth == 0) {
        lookahead->asked_us = 0;
        return;
    }
    uint64_t now_us = clock_monotonic_us(), passed_us = now_us - lookahead->asked_us;
    if (lookahead->asked_us != 0 && passed_us > lookahead->waited_us)
        read_ahead_note_store(&lookahead->pace, passed_us - lookahead->waited_us);
    lookahead->asked_us = now_us;
    lookahead->waited_us = 0;
}

void lookahead_ask(struct lookahead *lookahead, const struct list *instances)
{
    if (lookahead->options->readers == NULL)
        return;
    measure(lookahead);
    unsigned looked = 0;
    for (struct list_node *node = list_first(instances); node != NULL && looked < lookahead->depth;
         node = list_next(instances, node), looked++) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        if (find(lookahead, instance, looked) < lookahead->count || is_there(instance))
            continue;
        if (!ask_for(lookahead, instance))
            return;
    }
}

/* A file that is open already is read fast, whatever its storage is: the system may have it by now. */
static void note(struct lookahead *lookahead, bool was_open, uint64_t took_us, uint64_t bytes)
{
    if (!was_open || read_ahead_without_copying(took_us, bytes) > SLOWNESS_US)
        read_ahead_note_reading(&lookahead->pace, took_us, bytes);
}

int lookahead_take(struct lookahead *lookahead, struct instance *instance)
{
    unsigned place = find(lookahead, instance, 0);
    if (place == lookahead->count) {
        lookahead->turn = is_there(instance) ? TURN_THERE : instance->hold != NULL ? TURN_HELD : TURN_CLOSED;
        return 0;
    }
    lookahead->turn = TURN_READ;
    bool was_open = lookahead->list[place].was_open;
    struct reading *reading = take_out(lookahead, place);
    struct held_file *held;
    uint64_t begun_us = clock_monotonic_us(), took_us, bytes = reading_size(reading);
    int error = readers_finish(lookahead->options->readers, reading, lookahead->options->timeout_ms, &held, &took_us);
    lookahead->waited_us += clock_monotonic_us() - begun_us;
    if (took_us > 0)
        note(lookahead, was_open, took_us, bytes);
    else if (error == -ETIMEDOUT)
        instance_note(instance, "its storage has not answered for %u s", lookahead->options->timeout_ms / 1000);
    if (held == NULL)
        return error;
    instance->hold = &held->hold;
    /* What cannot be read as it has changed has changed. */
    int changed = error != 0 ? held_file_check(held, &instance->file) : 0;
    return changed == DICOMNET_ERROR_SOURCE_CHANGED ? changed : error;
}

void lookahead_note_open(struct lookahead *lookahead, uint64_t took_us, uint64_t bytes)
{
    if (lookahead->turn >= TURN_HELD)
        note(lookahead, lookahead->turn == TURN_HELD, took_us, bytes);
}

void lookahead_forget(struct lookahead *lookahead, const struct instance *instance)
{
    unsigned place = find(lookahead, instance, 0);
    if (place < lookahead->count)
        readers_forget(lookahead->options->readers, take_out(lookahead, place));
}

void lookahead_forget_all(struct lookahead *lookahead)
{
    while (lookahead->count > 0)
        readers_forget(lookahead->options->readers, take_out(lookahead, lookahead->count - 1));
}
