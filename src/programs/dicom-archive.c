/*
 * dicom-archive - a small archive for tests, demos and labs, until it is told to stop.
 *
 * One thread, one loop: the archive of archive/, and the signals that end it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "dicomnet/tls.h"
#include "programs/console.h"
#include "programs/interrupt.h"
#include "programs/network_options.h"
#include "programs/option_groups.h"
#include "programs/server.h"
#include "programs/temporary_folder.h"
#include "programs/tls_options.h"

struct listener {
    struct server server;
    struct archive *archive;
    struct archive_totals totals; /* as they were when it was told to stop */
};

static void close_archive(void *user)
{
    struct listener *program = user;
    program->totals = *archive_totals(program->archive);
    archive_close(program->archive);
}

static volatile sig_atomic_t told_to_stop; /* before it listens */

/* ---- peers ---- */

static const char tls_prefix[] = "pacss://";

/*
 * Read AE=[pacss://]HOST:PORT, where an IPv6 address stands in brackets, into what `ret_peer` has of its own already.
 * The host is the caller's to free. False if it is none.
 */
static bool read_peer(const char *text, struct dicomnet_association_parameters *ret_peer, bool *ret_over_tls)
{
    const char *equals = strchr(text, '='), *colon = strrchr(text, ':');
    if (equals == NULL || colon == NULL || colon <= equals + 1 || equals - text >= DICOMNET_AE_SIZE)
        return false;
    memcpy(ret_peer->called_ae, text, (size_t)(equals - text));
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (ae_title_problem(ret_peer->called_ae) != NULL || colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
        port == 0 || port > 65535)
        return false;
    const char *host = equals + 1;
    *ret_over_tls = strncasecmp(host, tls_prefix, sizeof tls_prefix - 1) == 0;
    if (*ret_over_tls)
        host += sizeof tls_prefix - 1;
    if (colon < host)
        return false;
    size_t len = (size_t)(colon - host);
    if (host[0] == '[' && colon[-1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len) != NULL) {
        return false;
    }
    ret_peer->port = (uint16_t)port;
    ret_peer->host = len > 0 ? strndup(host, len) : NULL;
    return ret_peer->host != NULL;
}

static void free_peers(struct dicomnet_association_parameters *peers, size_t count)
{
    struct dicomnet_tls *tls = NULL; /* one for all that have it */
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)peers[i].host);
        tls = peers[i].tls != NULL ? peers[i].tls : tls;
    }
    dicomnet_tls_destroy(tls);
    free(peers);
}

/* All of --peer. NULL, having said why, if one is wrong. */
static struct dicomnet_association_parameters *read_peers(const struct dicom_archive_options *options)
{
    struct dicomnet_association_parameters *peers = calloc(options->archive.peers.count + 1, sizeof *peers);
    struct dicomnet_tls *tls = NULL;
    char message[OPTIONS_MESSAGE_SIZE];
    for (size_t i = 0; peers != NULL && i < options->archive.peers.count; i++) {
        bool over_tls = false;
        peers[i].max_pdu_len = options->listening.network.max_pdu_len;
        peers[i].max_send_pdu_len = options->listening.network.max_send_pdu_len;
        peers[i].line = network_options_line(&options->listening.network);
        peers[i].timeouts = options->listening.network.timeouts;
        snprintf(message, sizeof message, "--peer: '%.80s' is not AE=HOST:PORT", options->archive.peers.items[i]);
        bool right = read_peer(options->archive.peers.items[i], &peers[i], &over_tls);
        if (right && over_tls && tls == NULL)
            right = tls_options_connect(&options->listening.tls, &tls, message, sizeof message) == 0;
        peers[i].tls = over_tls ? tls : NULL;
        if (right)
            continue;
        fprintf(stderr, "dicom-archive: %s\n", message);
        free_peers(peers, i + 1);
        return NULL;
    }
    return peers;
}

/* ---- the whole ---- */

/* `folder`: of --dicom, or NULL. */
static struct archive_options archive_options_of(const struct dicom_archive_options *options,
                                                 const struct dicomnet_association_parameters *peers,
                                                 const char *folder, const struct dicomnet_logger *logger)
{
    struct archive_options archive = {
        .acceptor = server_acceptor_of(&options->listening, "DICOM_ARCHIVE", logger),
        .output_dir = folder != NULL ? folder : options->storing.output_dir,
        .sync = options->storing.sync,
        .reindex = options->archive.reindex,
        .mode = options->storing.mode,
        .accept_syntaxes = options->listening.accept_syntaxes.items,
        .accept_syntax_count = options->listening.accept_syntaxes.count,
        .import_dirs =
            options->archive.dicom_file != NULL ? &options->archive.dicom_file : options->archive.import_dirs.items,
        .import_count = options->archive.dicom_file != NULL ? 1 : options->archive.import_dirs.count,
        .synthetic = options->archive.population,
        .destinations = peers,
        .destination_count = options->archive.peers.count,
        .move_associations = options->archive.move_associations,
        .transcode = options->archive.transcode,
        .logger = logger,
        .stop = &told_to_stop,
    };
    return archive;
}

struct counted {
    uint64_t count;
    const char *one, *many;
};

/* "1 patient, 4 studies" */
static void print_counted(const struct counted *things, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%" PRIu64 " %s", i > 0 ? ", " : "", things[i].count,
               things[i].count == 1 ? things[i].one : things[i].many);
    printf("\n");
}

static void print_listening(const struct dicom_archive_options *options, const struct archive_options *archive,
                            const struct listener *program)
{
    const struct archive_totals *totals = archive_totals(program->archive);
    if (!options->common.quiet) {
        if (options->archive.import_dirs.count > 0)
            printf("imported %llu, failed %llu\n", (unsigned long long)totals->imported,
                   (unsigned long long)totals->import_failed);
        const struct counted holdings[] = {{totals->patients, "patient", "patients"},
                                           {totals->studies, "study", "studies"},
                                           {totals->series, "series", "series"},
                                           {totals->instances, "instance", "instances"}};
        print_counted(holdings, sizeof holdings / sizeof holdings[0]);
    }
    server_say_listening(&archive->acceptor, archive_port(program->archive));
}

static void print_totals(const struct archive_totals *totals)
{
    const struct counted done[] = {{totals->associations, "association", "associations"},
                                   {totals->queries, "query", "queries"},
                                   {totals->matches, "match", "matches"},
                                   {totals->retrieves, "retrieve", "retrieves"},
                                   {totals->sent, "sent", "sent"},
                                   {totals->stored, "stored", "stored"},
                                   {totals->refused, "refused", "refused"},
                                   {totals->converted, "converted", "converted"}};
    print_counted(done, sizeof done / sizeof done[0] - (totals->converted == 0));
}

/* What --dicom names is there to be served; --import may find nothing new. */
static int check_dicom_file(const struct dicom_archive_options *options, const struct listener *program)
{
    if (options->archive.dicom_file == NULL || archive_totals(program->archive)->instances > 0)
        return 0;
    fprintf(stderr, "dicom-archive: --dicom: '%s': there is no DICOM file that could be served\n",
            options->archive.dicom_file);
    return -ENOENT;
}

static int run(const struct dicom_archive_options *options, const struct dicomnet_association_parameters *peers,
               const char *folder)
{
    struct listener program = {0};
    struct dicomnet_logger logger = console_logger((enum dicomnet_log_level)options->common.log_level);
    struct archive_options archive = archive_options_of(options, peers, folder, &logger);
    char problem[512];

    if (server_make_access(&options->listening, "dicom-archive", &archive.acceptor) != 0)
        return 1;
    if (server_init(&program.server, "dicom-archive", close_archive, &program) != 0) {
        server_drop_access(&archive.acceptor);
        return 1;
    }
    int error = archive_open(&program.archive, &program.server.loop, &archive, problem, sizeof problem);
    if (error == 0) {
        int deaf = server_hear_signals(&program.server);
        error = check_dicom_file(options, &program);
        error = error != 0 ? error : deaf;
        error = error == 0 && told_to_stop != 0 ? -ECANCELED : error;
        if (error == 0)
            print_listening(options, &archive, &program);
        else
            server_stop(&program.server);
    } else if (error != -ECANCELED) {
        fprintf(stderr, "dicom-archive: %s%s\n", problem, console_port_hint(error, options->listening.port));
    }
    server_run(&program.server);
    server_drop_access(&archive.acceptor);
    if (error == 0 && !options->common.quiet)
        print_totals(&program.totals);
    if (error == -ECANCELED && !options->common.quiet)
        fprintf(stderr, "dicom-archive: stopped before it listened\n");
    return error == 0 || error == -ECANCELED ? 0 : 1;
}

static int prepare_and_run(const void *read_options)
{
    const struct dicom_archive_options *options = read_options;
    interrupt_note(&told_to_stop);
    struct dicomnet_association_parameters *peers = read_peers(options);
    char *folder = options->archive.dicom_file != NULL ? temporary_folder_create("dicom-archive") : NULL;
    bool ready = peers != NULL && (folder != NULL || options->archive.dicom_file == NULL);
    int exit_code = ready ? run(options, peers, folder) : 1;
    temporary_folder_remove(folder);
    free(folder);
    if (peers != NULL)
        free_peers(peers, options->archive.peers.count);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct dicom_archive_options options;
    return console_main(PROGRAM_ARCHIVE, &options.common, argc, argv, prepare_and_run);
}
