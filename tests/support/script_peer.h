/*
 * script_peer - the other side of an association, played by a script on a thread of its own.
 *
 * Sockets that block, so that a script reads from top to bottom. Its bytes are made and read by hand after the tables
 * of the standard, and share no code with what is under test. A script is a provider (it accepts connections, one after
 * another) or a user (it connects once). Functions that answer bool say false when the connection has ended or
 * something else came than was asked for; a script that finds something wrong says so with peer_fail(), and goes on as
 * it likes.
 */
#ifndef SUPPORT_SCRIPT_PEER_H
#define SUPPORT_SCRIPT_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_CONTEXTS_MAX = 128,
    PEER_PDU_MAX = 256 * 1024,
    PEER_MAX_LEN = 16384,        /* the maximum PDU length it names unless told otherwise */
    PEER_PATIENCE_MS = 15 * 1000 /* a read that takes longer ends the connection: nothing hangs for ever */
};

enum { PEER_RQ = 1, PEER_AC, PEER_RJ, PEER_DATA, PEER_RELEASE_RQ, PEER_RELEASE_RP, PEER_ABORT };

struct peer_context {
    uint8_t id;
    uint8_t result; /* of an AC that was read */
    char class_uid[65];
    char syntax_uid[65]; /* the first proposed, or the accepted one */
};

/* A message that was read. */
struct peer_message {
    uint8_t context_id;
    uint16_t field, message_id, message_id_responded, priority, data_set_type, status;
    bool has_priority, has_status;
    char class_uid[65], instance_uid[65], comment[65];
    uint64_t data_len;
    uint32_t data_hash; /* script_hash of the data set */
    unsigned pdus;      /* P-DATA-TF it came in */
};

struct script_peer {
    uint16_t port;
    void *user;          /* the test's */
    unsigned connection; /* number of the one being played, from 1 */
    int fd;
    bool byte_by_byte; /* write one byte at a time */
    char failure[200]; /* the first thing that was wrong; look at it after script_peer_stop */

    /* The last A-ASSOCIATE-RQ or -AC that was read. */
    char called_ae[17], calling_ae[17];
    uint32_t max_len;
    uint16_t window; /* operations invoked; 0 = no such item */
    size_t context_count;
    struct peer_context contexts[PEER_CONTEXTS_MAX];

    struct peer_message message; /* the last that was read */
    unsigned messages;           /* requests read on this connection */

    uint8_t pdu_type; /* the last PDU that was read, and what follows its header */
    uint32_t pdu_len;
    uint8_t pdu[PEER_PDU_MAX];

    /* Private. */
    int listener;
    bool stopping;
    pthread_t thread;
    void (*play)(struct script_peer *peer);
};

/* FNV-1a; of nothing with `hash` 0. */
uint32_t script_hash(uint32_t hash, const uint8_t *bytes, size_t len);

/* Listen on a free port of 127.0.0.1 and play each connection. NULL if it cannot be. */
struct script_peer *script_peer_listen(void (*play)(struct script_peer *peer), void *user);

/* Connect to that port and play. */
struct script_peer *script_peer_connect(uint16_t port, void (*play)(struct script_peer *peer), void *user);

/* Wait for the script to end. It can be looked at until it is freed with free(). */
void script_peer_stop(struct script_peer *peer);

/* Say what is wrong. */
void peer_fail(struct script_peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- bytes ---- */

bool peer_send(struct script_peer *peer, const void *bytes, size_t len);
bool peer_read(struct script_peer *peer, void *ret_bytes, size_t len);
void peer_sleep(unsigned ms);

/* Neither read nor close until script_peer_stop is called; after ten seconds the connection ends all the same. */
void peer_stay(struct script_peer *peer);

/* End the connection with FIN, or with RST. */
void peer_close(struct script_peer *peer);
void peer_reset(struct script_peer *peer);

/* ---- PDUs ---- */

/* Read the next PDU, whatever it is. */
bool peer_read_pdu(struct script_peer *peer);

/* Read the next PDU, and say so if it is not of this type. */
bool peer_expect(struct script_peer *peer, uint8_t type);

/* Read and throw away until the other side has closed; false if it does not. */
bool peer_expect_end(struct script_peer *peer);

/* A PDU of this type and `len` bytes behind its header. */
bool peer_send_pdu(struct script_peer *peer, uint8_t type, const void *bytes, size_t len);
bool peer_send_short(struct script_peer *peer, uint8_t type, uint8_t second, uint8_t third, uint8_t fourth);
bool peer_send_abort(struct script_peer *peer, uint8_t source, uint8_t reason);
bool peer_send_release(struct script_peer *peer);

/* ---- association ---- */

struct peer_accept {
    bool no_max_len;
    bool no_limit;              /* a maximum PDU length of 0 */
    uint32_t max_len;           /* 0 = PEER_MAX_LEN */
    uint16_t window;            /* 0 = no such item */
    uint8_t result;             /* of every context that is in `refused` */
    uint64_t refused, left_out; /* bit i = the i-th proposed */
    const char *syntax_uid;     /* instead of the first proposed */
    bool extra_items;           /* unknown items and an answer to a context nobody proposed */
};

/* The bytes of an A-ASSOCIATE-AC after its header, for the RQ that was read. Returns their length. */
size_t peer_build_accept(const struct script_peer *peer, const struct peer_accept *accept,
                         uint8_t ret_bytes[PEER_PDU_MAX]);
bool peer_send_accept(struct script_peer *peer, const struct peer_accept *accept);

/* Read the RQ; read it and accept all. */
bool peer_read_request(struct script_peer *peer);
bool peer_accept(struct script_peer *peer);

struct peer_request {
    const char *called_ae; /* NULL = "ANY-SCP" */
    const char *application_context;
    uint16_t protocol_version; /* 0 = 1 */
    uint32_t max_len;          /* 0 = PEER_MAX_LEN */
    uint16_t window;
    size_t context_count;
    const char *classes[4]; /* contexts 1, 3, 5, 7: in Explicit VR Little Endian */
};
size_t peer_build_request(const struct peer_request *request, uint8_t ret_bytes[PEER_PDU_MAX]);

/* Send the RQ; send it and read the AC. */
bool peer_send_request(struct script_peer *peer, const struct peer_request *request);
bool peer_open(struct script_peer *peer, const struct peer_request *request);

/* Ask for release, and read the answer and the end. */
bool peer_release(struct script_peer *peer);

/* ---- messages ---- */

/* Read a message; false if another PDU came instead (see pdu_type) or the connection ended (pdu_type 0). */
bool peer_read_message(struct script_peer *peer);

struct peer_command {
    uint8_t context_id;
    uint16_t field;
    uint16_t message_id; /* of a request, or responded to */
    bool no_status;
    uint16_t status;
    const char *class_uid; /* NULL = left out, as all texts */
    const char *instance_uid;
    const char *comment;
    bool has_data;
};
/* A command set in one PDV of one PDU. */
bool peer_send_command(struct script_peer *peer, const struct peer_command *command);
/* One PDV in one PDU. */
bool peer_send_pdv(struct script_peer *peer, uint8_t context_id, uint8_t control, const void *bytes, size_t len);

/* The response to the last message that was read. */
struct peer_command peer_response(const struct script_peer *peer, uint16_t status);
bool peer_answer(struct script_peer *peer, uint16_t status);

/* The same, of status 0000, but for the members of `other` that are not 0 (or NULL, or false). */
struct peer_command peer_response_with(const struct script_peer *peer, const struct peer_command *other);
bool peer_answer_with(struct script_peer *peer, const struct peer_command *other);

/* Answer all requests with 0000, and the release; return when the connection ends or anything else comes. */
void peer_serve(struct script_peer *peer);

#endif
