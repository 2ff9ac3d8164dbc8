/*
 * decoder_link - the process dicom-decoder and the socket to it: started, asked, listened to, ended.
 *
 * The only socket of this folder, and none of the network: a pair, one end of which is the process's standard input.
 * No descriptor of this program reaches the process, but that of the file with each request.
 */
#ifndef FILES_DECODER_LINK_H
#define FILES_DECODER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "decoder_protocol.h"

/* A process; fd = -1: there is none. */
struct decoder_link {
    int fd;
    pid_t pid;
};

enum decoder_link_result {
    DECODER_LINK_OK,
    DECODER_LINK_TIMEOUT, /* nothing came in time */
    DECODER_LINK_ENDED,   /* the other end is closed */
    DECODER_LINK_BROKEN   /* what came is no answer to what was asked: `detail` says what */
};

/* Start `program`. False if that fails: *ret_error is the errno. */
bool decoder_link_start(struct decoder_link *link, const char *program, int *ret_error);

/*
 * End the process, whatever it does, and reap it. One that `is_ending`, as it has closed its socket, gets a moment to
 * end by itself. Returns its status as waitpid gives it, or -1 if that is not known.
 */
int decoder_link_end(struct decoder_link *link, bool is_ending);

/* True if it is there, and has said nothing that nobody asked for. */
bool decoder_link_is_idle(const struct decoder_link *link);

/* Hand it the request with the file's descriptor. False if it does not take it. */
bool decoder_link_ask(const struct decoder_link *link, const struct decoder_request *request, int file_fd);

/*
 * Wait for the answer to a frame of `frame_len` bytes, which are put into `pixels`. With DECODER_LINK_OK the response
 * is one that the protocol allows: its status known, its texts terminated and of printable ASCII, its frame of the
 * length that was asked for, and nothing behind it. `ret_detail` is static.
 */
enum decoder_link_result decoder_link_hear(const struct decoder_link *link, uint8_t *pixels, size_t frame_len,
                                           unsigned timeout_ms, struct decoder_response *ret_response,
                                           const char **ret_detail);

#endif
