/*
 * option_groups - what the options of a program are read into: a struct for each group of options, and for each program
 * one struct of the groups that it has.
 *
 * A row of the table (options_table.h) names a group and a member of its struct; each program of the row has that
 * group. Code that serves several programs takes a group and not a program. Where a module has a struct of options of
 * its own, that is the group (struct session_options, struct retrieval_options): nothing is then copied by hand.
 *
 * A new group is a struct here and a member of the programs that have it, a name in enum option_group, its GROUP_OF_
 * below, and its place in the programs' rows of option_programs.c.
 *
 * Texts are borrowed from argv or static. Lists are owned: see options_fini.
 */
#ifndef PROGRAMS_OPTION_GROUPS_H
#define PROGRAMS_OPTION_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/association.h"
#include "dicomnet/query_retrieve.h"
#include "engine/session.h"
#include "fetch/retrieval.h"
#include "files/synthetic.h"
#include "programs/options.h"
#include "report/ramp.h"

/* How long a PDU may be, how connections are carried, and how long to wait. */
struct network_group {
    uint32_t max_pdu_len, max_send_pdu_len;
    uint32_t keepalive_s;   /* 0: none */
    uint32_t traffic_class; /* TOS; 0: none */
    uint32_t socket_buffer; /* bytes; 0: the system adapts it */
    struct dicomnet_association_timeouts timeouts;
};

/* TLS, of who connects and of who listens; see tls_options.h. */
enum tls_client { TLS_CLIENT_UNSAID, TLS_CLIENT_NONE, TLS_CLIENT_REQUEST, TLS_CLIENT_REQUIRE };
struct tls_group {
    bool enabled;
    const char *certificate, *key, *key_password, *password_file; /* ours */
    const char *ciphers;
    uint32_t version_min; /* enum dicomnet_tls_version */
    /* Of who connects: */
    const char *ca, *server_name, *pin;
    bool insecure;
    /* Of who listens: */
    const char *client_ca;
    uint32_t client; /* enum tls_client */
};

/* Who asks; see identity_options.h. */
struct identity_group {
    const char *user, *password_file;
    const char *kerberos_file, *saml_file, *jwt_file;
    bool response_wanted;
};

/* Where to, as the arguments say it; destination_find makes one destination of it. */
struct connection_group {
    const char *destination;      /* the positional one, or NULL */
    const char *destination_port; /* in a word of its own behind it, or NULL */
    const char *connect;          /* --connect: the same in one word */
    const char *host;
    uint32_t port;
    char called_ae[DICOMNET_AE_SIZE];
    char calling_ae[DICOMNET_AE_SIZE];
    const char *bind_address; /* ours; NULL: the system chooses */
    const char *peer;
    const char *config;
    bool loopback;
    uint16_t window; /* operations to propose; 0: not an option of the program */
    struct network_group network;
    struct tls_group tls;
    struct identity_group identity;
};

/* What dicom-sender sends, and over what. The rest of its options are those of the session itself. */
struct sending_group {
    struct option_list inputs;
    struct synthetic_spec synthetic; /* studies = 0: not given */
    const char *output_dir;          /* write them there; NULL: send them */
    uint32_t synthetic_seed;         /* of what is written */
    uint32_t threads;                /* 0: auto */
    struct option_list syntaxes;     /* UIDs: propose only these */
    struct option_ramp {
        size_t count; /* 0: not given */
        uint32_t threads[RAMP_STEPS_MAX];
    } ramp;
};

/* The ledger, and what `report` shows of it. */
struct ledger_group {
    const char *ledger;
    bool retry_failed;
    bool allow_other_destination;
    bool show_failed;
    bool show_warned;
    bool show_skipped;
    bool show_pending;
};

/* How often dicom-echo asks. */
struct echo_group {
    uint32_t repeat;
};

/* What to ask for. */
struct query_group {
    bool patient_root;
    enum dicomnet_query_level level;
    struct option_list keys; /* KEY or KEY=VALUE, see query_keys */
    const char *query_file;
    uint32_t limit;       /* matches; 0: all */
    uint32_t max_matches; /* more are an error; 0: no limit */
};

/* What dicom-mover needs beside the options of the retrieval itself. */
struct fetching_group {
    bool all;                      /* no key narrows it, and that is meant */
    struct option_list allow_from; /* AE titles and hosts that may send to us; none given = all */
    bool receive_here;             /* said by a port to receive on */
};

/* Where a server listens, and to how many. */
struct listening_group {
    uint16_t port;
    struct option_list bind_addresses; /* none given = 127.0.0.1 */
    char own_ae[DICOMNET_AE_SIZE];     /* "" = take any called AE title */
    uint32_t max_associations;
    struct option_list allow_calling; /* AE, AE@HOST or @HOST; none given = everybody */
    uint32_t max_connections;
    uint32_t idle_ms;
    uint16_t window;
    struct option_list accept_syntaxes; /* UIDs, the best first; none given = any */
    struct option_list users;           /* NAME:FILE, see server_make_access; none given = everybody */
    struct network_group network;
    struct tls_group tls;
};

/* Who keeps instances: where and how. */
struct storing_group {
    const char *output_dir;
    bool discard;
    bool sync;
    uint32_t mode; /* permissions; 0: not given */
    const char *access_log;
};

/* What dicom-receiver does wrong on purpose, as in struct receiver_faults. */
struct fault_group {
    uint16_t status;
    uint32_t response_delay_ms;
    struct option_every {
        uint32_t every;
        uint16_t status;
    } fail;
    uint32_t abort_after;
    uint32_t stall_after;
    uint32_t reject_transient;
    bool two_writes;
};

/* What dicom-archive has, and how it sends it. */
struct archive_group {
    struct synthetic_population population; /* studies = 0: not given */
    struct option_list import_dirs;
    const char *dicom_file; /* --dicom */
    bool reindex;
    struct option_list peers; /* AE=HOST:PORT */
    uint32_t move_associations;
    enum transcode transcode;
};

/* The group of each struct, for the rows of options_table.c. */
#define GROUP_OF_options           GROUP_COMMON
#define GROUP_OF_connection_group  GROUP_CONNECTION
#define GROUP_OF_network_group     GROUP_NETWORK
#define GROUP_OF_tls_group         GROUP_TLS
#define GROUP_OF_identity_group    GROUP_IDENTITY
#define GROUP_OF_sending_group     GROUP_SENDING
#define GROUP_OF_session_options   GROUP_SESSION
#define GROUP_OF_ledger_group      GROUP_LEDGER
#define GROUP_OF_echo_group        GROUP_ECHO
#define GROUP_OF_query_group       GROUP_QUERY
#define GROUP_OF_fetching_group    GROUP_FETCHING
#define GROUP_OF_retrieval_options GROUP_RETRIEVAL
#define GROUP_OF_storing_group     GROUP_STORING
#define GROUP_OF_listening_group   GROUP_LISTENING
#define GROUP_OF_fault_group       GROUP_FAULTS
#define GROUP_OF_archive_group     GROUP_ARCHIVE

/* ---- the programs; each struct begins with what all have ---- */

struct dicom_sender_options {
    struct options common;
    struct connection_group connection;
    struct sending_group sending;
    struct session_options session;
    struct ledger_group ledger;
};

struct dicom_sender_report_options {
    struct options common;
    struct ledger_group ledger;
};

struct dicom_echo_options {
    struct options common;
    struct connection_group connection;
    struct echo_group echo;
};

struct dicom_finder_options {
    struct options common;
    struct connection_group connection;
    struct query_group query;
};

struct dicom_mover_options {
    struct options common;
    struct connection_group connection;
    struct query_group query;
    struct fetching_group fetching;
    struct retrieval_options retrieval;
};

struct dicom_receiver_options {
    struct options common;
    struct listening_group listening;
    struct storing_group storing;
    struct fault_group faults;
};

struct dicom_archive_options {
    struct options common;
    struct listening_group listening;
    struct storing_group storing;
    struct archive_group archive;
};

#endif
