/* made_files - see made_files.h. */
#include "made_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/scan.h"
#include "files/synthetic.h"

enum { SEED = 4711 };

static void make_path(const struct made_files *files, unsigned index, char ret_path[96])
{
    snprintf(ret_path, 96, "%s/%u.dcm", files->folder, index);
}

static int make_one(struct made_files *files, struct scanner *scanner, unsigned index, unsigned each, uint64_t bytes)
{
    const struct synthetic_options options = {.seed = SEED, .sop_class = SYNTHETIC_CT, .size_bytes = bytes};
    struct synthetic_instance made;
    char path[96];
    make_path(files, index, path);
    synthetic_instance_init(&made, &options, index / each, index % each);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int error = synthetic_instance_write(&made, fd);
    close(fd);
    if (error != 0)
        return error;
    files->instances[index] = scanner_read(scanner, path);
    files->count = index + 1;
    if (files->instances[index] == NULL)
        return -ENOMEM;
    return files->instances[index]->outcome.state == OUTCOME_PENDING ? 0 : -EINVAL;
}

int made_files_create(struct made_files *files, unsigned studies, unsigned each, uint64_t bytes)
{
    *files = (struct made_files){0};
    strcpy(files->folder, "/tmp/made-files-XXXXXX");
    if (mkdtemp(files->folder) == NULL)
        return -errno;
    const struct scan_options options = {0};
    struct scanner *scanner = scanner_create(&options);
    files->instances = calloc((size_t)studies * each, sizeof *files->instances);
    int error = scanner == NULL || files->instances == NULL ? -ENOMEM : 0;
    for (unsigned i = 0; i < studies * each && error == 0; i++)
        error = make_one(files, scanner, i, each, bytes);
    scanner_destroy(scanner);
    return error;
}

void made_files_remove(struct made_files *files)
{
    char path[96];
    for (unsigned i = 0; i < files->count; i++) {
        make_path(files, i, path);
        (void)unlink(path);
        instance_destroy(files->instances[i]);
    }
    free(files->instances);
    (void)rmdir(files->folder);
}
