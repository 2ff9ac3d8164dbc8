/* replay - the main() of a fuzz target without libFuzzer: run every file that is named, or lies in a folder named. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) < 0) {
        perror(path);
        return 1;
    }
    /* A block of exactly its size, so that reading past the end is seen. */
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    int result = data == NULL || fread(data, 1, size, file) != size;
    fclose(file);
    if (result != 0) {
        perror(path);
    } else {
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return result;
}

static int replay_folder(const char *path, unsigned *ret_count)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), result = count < 0;
    if (count < 0)
        perror(path);
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            result |= replay_file(name);
            (*ret_count)++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int result = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            result |= replay_folder(argv[i], &count);
        } else {
            result |= replay_file(argv[i]);
            count++;
        }
    }
    printf("%u inputs\n", count);
    return result != 0 || count == 0;
}
