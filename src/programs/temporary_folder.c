/* temporary_folder - see temporary_folder.h. */
#include "programs/temporary_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *temporary_folder_create(const char *program)
{
    const char *parent = getenv("TMPDIR");
    char *path = NULL;
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    if (asprintf(&path, "%s/%s-XXXXXX", parent, program) < 0) {
        fprintf(stderr, "%s: out of memory\n", program);
        return NULL;
    }
    if (mkdtemp(path) != NULL)
        return path;
    fprintf(stderr, "%s: '%s' (TMPDIR): no folder can be made there: %s\n", program, parent,
            dicomnet_error_text(-errno));
    free(path);
    return NULL;
}

void temporary_folder_remove(const char *path)
{
    DIR *folder = path != NULL ? opendir(path) : NULL;
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    (void)rmdir(path);
}
