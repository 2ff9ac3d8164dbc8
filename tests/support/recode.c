/*
 * recode - converts the data set of a file to another transfer syntax, through files/source.h as the sender does, and
 * writes it as a Part 10 file, or reads it and drops it.
 *
 * recode FILE SYNTAX_UID [OUTPUT]
 * recode --each SYNTAX_UID FILE...
 *
 * Without OUTPUT it prints the length and how long opening and reading took. Exit code 1: it cannot be converted;
 * standard error says why. With --each it converts one file after the other with the same decoder, and exits with 1 if
 * one of them cannot be converted. $DECODER is the program that decodes; without it, the build's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "files/decoder.h"
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

static int convert(const struct instance *instance, const char *syntax_uid, const char *path, struct decoder *decoder)
{
    static struct source source;
    const struct source_options options = {.decoder = decoder};
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

static int convert_file(struct scanner *scanner, const char *file, const char *syntax_uid, const char *path,
                        struct decoder *decoder)
{
    struct instance *instance = scanner_read(scanner, file);
    int result = 1;
    if (instance == NULL)
        return 2;
    if (instance->outcome.state == OUTCOME_PENDING) {
        result = convert(instance, syntax_uid, path, decoder);
    } else {
        char text[INSTANCE_TEXT_SIZE];
        instance_describe(instance, text, sizeof text);
        fprintf(stderr, "%s: %s\n", file, text);
    }
    instance_destroy(instance);
    return result;
}

int main(int argc, char **argv)
{
    static const struct scan_options options;
    bool each = argc > 3 && strcmp(argv[1], "--each") == 0;
    if (argc < 3 || (argc > 4 && !each)) {
        fprintf(stderr, "usage: recode FILE SYNTAX_UID [OUTPUT]\n       recode --each SYNTAX_UID FILE...\n");
        return 2;
    }
    const struct decoder_options decoder_options = {
        .program = getenv("DECODER") != NULL ? getenv("DECODER") : DECODER_PROGRAM, .frame_timeout_ms = 10 * 1000};
    struct decoder *decoder = decoder_create(&decoder_options);
    struct scanner *scanner = scanner_create(&options);
    int result = scanner != NULL && decoder != NULL ? 0 : 2;
    if (result == 0 && !each)
        result = convert_file(scanner, argv[1], argv[2], argc == 4 ? argv[3] : NULL, decoder);
    for (int i = 3; each && result < 2 && i < argc; i++) {
        int one = convert_file(scanner, argv[i], argv[2], NULL, decoder);
        result = one > result ? one : result;
    }
    decoder_destroy(decoder);
    scanner_destroy(scanner);
    return result;
}
