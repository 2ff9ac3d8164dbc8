/*
 * make-studies - writes synthetic studies as Part 10 files: DIR/study-N/image-M.dcm. For demos and tests.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dicomnet/error.h"
#include "files/synthetic.h"

static const char usage[] = "usage: make-studies DIR STUDIESxINSTANCESxSIZE[:CT|MR|SC] [--seed N]\n"
                            "SIZE is that of one data set in bytes, or with K, M or G behind it.\n";

static int make_folder(const char *path)
{
    return mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

/* Write it all; on failure `path` says where. */
static int make_studies(const char *folder, const struct synthetic_spec *spec, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s", folder);
    int error = make_folder(path);
    for (uint64_t study = 0; study < spec->studies && error == 0; study++) {
        snprintf(path, PATH_MAX, "%s/study-%llu", folder, (unsigned long long)study + 1);
        error = make_folder(path);
        for (uint64_t number = 0; number < spec->instances && error == 0; number++) {
            struct synthetic_instance instance;
            synthetic_instance_init(&instance, &spec->options, study, number);
            snprintf(path, PATH_MAX, "%s/study-%llu/image-%llu.dcm", folder, (unsigned long long)study + 1,
                     (unsigned long long)number + 1);
            error = synthetic_instance_write(&instance, path);
        }
    }
    return error;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"seed", required_argument, NULL, 's'}, {0}};
    struct synthetic_spec spec = {.options = {.seed = 1}};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option != 's') {
            fputs(usage, stderr);
            return 1;
        }
        spec.options.seed = strtoull(optarg, NULL, 0);
    }
    if (argc - optind != 2 || !synthetic_spec_parse(argv[optind + 1], &spec)) {
        fputs(usage, stderr);
        return 1;
    }
    char path[PATH_MAX];
    int error = make_studies(argv[optind], &spec, path);
    if (error < 0) {
        fprintf(stderr, "make-studies: %s: %s\n", path, dicomnet_error_text(error));
        return 1;
    }
    return 0;
}
