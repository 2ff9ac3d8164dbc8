/*
 * framer - cuts a message into P-DATA-TF PDUs (PS3.8 9.3.5), laid out in one buffer.
 *
 *   | PDU header | PDV header | command set | PDU header | PDV header | data ... | PDU header | PDV header | data ...
 *     6 bytes      6 bytes                                               ^ read from the data source straight to here
 *
 * Many PDUs leave with one write; the command set leaves together with the first data. A PDU holds one PDV of at most
 * what the peer takes. No copies, no allocation, no I/O of its own.
 */
#ifndef NET_FRAMER_H
#define NET_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dicomnet_data_source;

enum { FRAMER_COMMAND_SIZE = 512 };

struct framer {
    uint8_t *buffer; /* borrowed */
    size_t size;
    uint32_t payload_max; /* data bytes in one PDV */
    uint8_t context_id;
    uint8_t command[FRAMER_COMMAND_SIZE];
    size_t command_len;
    size_t command_done;
    struct dicomnet_data_source *source; /* borrowed until the message is complete; NULL = no data set */
    uint64_t data_done;
    uint64_t read_us; /* time the source has taken for this message */
    bool complete;    /* everything has been framed */
};

/*
 * Frame into `buffer` for a peer that takes `peer_max_pdu` bytes after the PDU header (at least 14). The buffer must
 * hold one PDU of that size.
 */
void framer_init(struct framer *framer, uint8_t *buffer, size_t size, uint32_t peer_max_pdu);

/* Begin a message; its command set is in framer->command, of command_len bytes. */
void framer_begin(struct framer *framer, uint8_t context_id, struct dicomnet_data_source *source);

/*
 * Fill the buffer with the next PDUs of the message. Returns the bytes to write (more than 0), or the error of the
 * source, or DICOMNET_ERROR_SOURCE_SHORT. When `complete` is set, these were the last.
 */
ssize_t framer_fill(struct framer *framer);

#endif
