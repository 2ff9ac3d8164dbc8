/*
 * recode - converts the data set of a file to another transfer syntax, through files/source.h as the sender does, and
 * writes it as a Part 10 file, or reads it and drops it.
 *
 * recode FILE SYNTAX_UID [OUTPUT]
 *
 * Without OUTPUT it prints the length and how long opening and reading took. Exit code 1: it cannot be converted;
 * standard error says why.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "files/scan.h"
#include "files/source.h"
#include "instance/instance.h"
#include "wire/meta_header.h"

enum { BLOCK_SIZE = 1024 * 1024, PDU_SIZE = 65536, GAPS = BLOCK_SIZE / PDU_SIZE };

static int fail(const struct instance *instance, const struct source *source, int error)
{
    fprintf(stderr, "%s: %s%s%s\n", instance->file.path, dicomnet_error_text(error),
            source_failure_text(source)[0] != '\0' ? ": " : "", source_failure_text(source));
    return 1;
}

static bool write_meta(FILE *output, const struct instance *instance, const char *syntax_uid)
{
    uint8_t bytes[1024];
    const struct meta_header meta = {.class_uid = instance->file.class_uid,
                                     .instance_uid = instance->file.instance_uid,
                                     .syntax_uid = syntax_uid,
                                     .source_ae = ""};
    size_t len = meta_header_encode(&meta, bytes, sizeof bytes);
    return len > 0 && fwrite(bytes, 1, len, output) == len;
}

/* The whole data set, in gaps as an association has them. */
static int read_all(struct source *source, FILE *output)
{
    static uint8_t block[BLOCK_SIZE];
    uint64_t offset = 0;
    while (offset < source->data->len) {
        struct iovec gaps[GAPS];
        uint64_t left = source->data->len - offset;
        int count = 0;
        for (; count < GAPS && left > 0; count++) {
            gaps[count].iov_base = block + (size_t)count * PDU_SIZE;
            gaps[count].iov_len = left < PDU_SIZE - 12 ? (size_t)left : PDU_SIZE - 12;
            left -= gaps[count].iov_len;
        }
        ssize_t got = source->data->read(source->data, offset, gaps, count);
        if (got < 0)
            return (int)got;
        if (offset + (uint64_t)got + left != source->data->len)
            return DICOMNET_ERROR_SOURCE_SHORT;
        for (int i = 0; output != NULL && i < count; i++)
            if (fwrite(gaps[i].iov_base, 1, gaps[i].iov_len, output) != gaps[i].iov_len)
                return DICOMNET_ERROR_SOURCE_SHORT;
        offset += (uint64_t)got;
    }
    return 0;
}

static int convert(const struct instance *instance, const char *syntax_uid, const char *path)
{
    static struct source source;
    const struct source_options options = {.synthetic = NULL};
    uint64_t begun = clock_monotonic_us();
    int error = source_open(&source, instance, syntax_uid, &options);
    if (error < 0)
        return fail(instance, &source, error);
    uint64_t opened = clock_monotonic_us();
    FILE *output = path != NULL ? fopen(path, "wb") : NULL;
    if (path != NULL && (output == NULL || !write_meta(output, instance, syntax_uid))) {
        perror(path);
        return 2;
    }
    uint64_t len = source.data->len;
    error = read_all(&source, output);
    uint64_t read = clock_monotonic_us();
    int result = source_close(&source);
    error = error < 0 ? error : result;
    if (output != NULL && fclose(output) != 0)
        return 2;
    if (error < 0)
        return fail(instance, &source, error);
    if (path == NULL)
        printf("%llu bytes, opened in %.3f s, read in %.3f s\n", (unsigned long long)len,
               (double)(opened - begun) / 1e6, (double)(read - opened) / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct scan_options options;
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: recode FILE SYNTAX_UID [OUTPUT]\n");
        return 2;
    }
    struct scanner *scanner = scanner_create(&options);
    struct instance *instance = scanner != NULL ? scanner_read(scanner, argv[1]) : NULL;
    if (instance == NULL)
        return 2;
    int result = 2;
    if (instance->outcome.state == OUTCOME_PENDING) {
        result = convert(instance, argv[2], argc == 4 ? argv[3] : NULL);
    } else {
        char text[INSTANCE_TEXT_SIZE];
        instance_describe(instance, text, sizeof text);
        fprintf(stderr, "%s: %s\n", argv[1], text);
    }
    instance_destroy(instance);
    scanner_destroy(scanner);
    return result;
}
