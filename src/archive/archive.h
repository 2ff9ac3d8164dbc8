/*
 * archive - a small archive on a loop: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET and C-CANCEL, over an index (index.h) and
 * a folder of instances, or over instances that are made up when they are asked for.
 *
 * What dicom-archive is. All associations, also those a C-MOVE opens, are on the one loop; a query gives it back every
 * few hundred rows. Memory does not grow with the number of matches, however slowly a peer takes them.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/acceptor.h"
#include "files/synthetic.h"
#include "instance/fallback.h"

struct archive;

struct archive_options {
    struct dicomnet_acceptor_options acceptor;
    const char
        *output_dir; /* of the instances and their index (index.sqlite); NULL: made up, and the index in memory */
    bool sync;       /* fsync an instance before it is answered */
    bool reindex;    /* make the index anew from the files */
    uint32_t mode;   /* permissions of the instances: struct part10_folder */
    const char *const *import_dirs; /* take in the instances in and below these folders first */
    size_t import_count;
    const char *const *accept_syntaxes; /* as of struct dicomnet_query_provider_options */
    size_t accept_syntax_count;
    struct synthetic_population synthetic; /* studies = 0: none */
    /*
     * Where a C-MOVE may send to: its move destination is the called AE title of one of these. The array and its
     * strings are borrowed until the archive is closed. The calling AE title is the one that the requestor calls us by.
     */
    const struct dicomnet_association_parameters *destinations;
    size_t destination_count;
    unsigned move_associations;           /* at most, for one C-MOVE */
    enum transcode transcode;             /* what may be done to what a C-MOVE or C-GET cannot send as it lies */
    const struct dicomnet_logger *logger; /* borrowed until closed */
    const volatile sig_atomic_t *stop;    /* borrowed: not 0 = archive_open ends with -ECANCELED; NULL = never */
};

/* What an archive holds, and has done so far. */
struct archive_totals {
    uint64_t patients, studies, series, instances; /* when it was opened */
    uint64_t imported, import_failed;
    uint64_t associations;
    uint64_t stored, refused;  /* C-STOREs */
    uint64_t queries, matches; /* C-FINDs */
    uint64_t retrieves, sent;  /* C-MOVEs and C-GETs, and the instances that went out */
    uint64_t converted;        /* of these, in another transfer syntax than they are kept in */
};

/*
 * Look at the folder, index what is not indexed, and listen. Returns 0 or a negative error, with a line about it in
 * `ret_problem` of `problem_size` bytes. `options` is copied, strings are borrowed. It blocks while it indexes.
 */
int archive_open(struct archive **ret_archive, struct uv_loop_s *loop, const struct archive_options *options,
                 char *ret_problem, size_t problem_size) DICOMNET_MUST_CHECK;
uint16_t archive_port(const struct archive *archive);
const struct archive_totals *archive_totals(const struct archive *archive);

/* Stop listening, abort what is open; the archive is freed when all is over. */
void archive_close(struct archive *archive);

#endif
