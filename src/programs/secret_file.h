/*
 * secret_file - a secret that lies in a file: a password, which is its first line, or a token, which is all of it.
 *
 * The file may be a pipe, as of `--password-file <(vault ...)`: it is read once, and not further than needed.
 */
#ifndef PROGRAMS_SECRET_FILE_H
#define PROGRAMS_SECRET_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

enum { SECRET_PASSWORD_SIZE = 1024, SECRET_WHY_SIZE = 80 };

/*
 * The first line, without what ends it (LF or CR LF); NUL-terminated. 0, or a negative error and why, for a person: it
 * cannot be read, the line is empty, too long, or has a NUL in it. Nothing of it stays in `ret_password` then.
 */
int secret_file_read_password(const char *path, char ret_password[SECRET_PASSWORD_SIZE],
                              char ret_why[SECRET_WHY_SIZE]) DICOMNET_MUST_CHECK;

/* All bytes as they are: 1 at least, and fewer than `size`. 0, or a negative error and why, as above. */
int secret_file_read_token(const char *path, uint8_t *ret_bytes, size_t size, size_t *ret_len,
                           char ret_why[SECRET_WHY_SIZE]) DICOMNET_MUST_CHECK;

#endif
