/*
 * peers - the file of peers: the destinations a user knows by name.
 *
 *   {
 *     "default": "main",
 *     "peers": {
 *       "main": {"host": "pacs.example.org", "port": 4242, "ae_title": "PACS", "calling_ae": "GATEWAY"},
 *       "far":  {"host": "10.9.8.7", "bind": "192.0.2.1", "keepalive": 120, "tos": "af11", "socket_buffer": 4194304,
 *                "max_send_pdu": 16384},
 *       "safe": {"host": "10.1.2.3", "tls": {"ca": "ca.pem", "cert": "us.pem", "key": "us.key",
 *                "key_password_file": "password", "server_name": "pacs", "pin": "01ab...", "min": "1.3",
 *                "ciphers": "TLS_AES_256_GCM_SHA384"}},
 *       "asks": {"host": "10.1.2.4", "user": "gateway", "password_file": "password", "identity_response": true},
 *       "test": {"host": "127.0.0.1", "tls": true}
 *     }
 *   }
 *
 * Only `host` is required; "tls" may be empty. All are as the options of that name are. Beside "user" and
 * "password_file" there are "kerberos_file", "saml_file" and "jwt_file", as the options of these names. A key that is
 * not in this example is an error: a typing slip must not send data elsewhere.
 */
#ifndef PROGRAMS_PEERS_H
#define PROGRAMS_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

enum { PEER_VALUE_SIZE = 512 };

/* One peer as the file has it. AE titles are not checked here. */
struct peer {
    char name[64];
    char host[256];
    uint16_t port;       /* 0 = not said */
    char ae_title[64];   /* "" = not said */
    char calling_ae[64]; /* "" = not said */
    char bind[64];       /* "" = not said; else an address */
    struct peer_network {
        struct peer_number {
            bool said;
            uint32_t value;
        } keepalive, traffic_class, socket_buffer, max_send_pdu;
    } network;
    bool tls;
    struct peer_tls { /* "" = not said; as the options are called */
        char ca[PEER_VALUE_SIZE], certificate[PEER_VALUE_SIZE], key[PEER_VALUE_SIZE], password_file[PEER_VALUE_SIZE];
        char server_name[PEER_VALUE_SIZE], pin[PEER_VALUE_SIZE], ciphers[PEER_VALUE_SIZE];
        bool newest; /* 1.3 only */
        bool insecure;
    } with;
    struct peer_identity { /* "" = not said; as the options are called */
        char user[PEER_VALUE_SIZE], password_file[PEER_VALUE_SIZE];
        char kerberos_file[PEER_VALUE_SIZE], saml_file[PEER_VALUE_SIZE], jwt_file[PEER_VALUE_SIZE];
        bool response_wanted;
    } as;
};

/*
 * The peer called `name`, or the default one if `name` is NULL. Returns 1 if there is one. 0 if there is none: no file,
 * no peer of that name, or no default; then `ret_text` of `size` bytes says which, naming the peers there are.
 * A negative error if the file is there and cannot be read or is wrong: `ret_text` says where, in one line.
 */
int peers_find(const char *path, const char *name, struct peer *ret_peer, char *ret_text,
               size_t size) DICOMNET_MUST_CHECK;

#endif
