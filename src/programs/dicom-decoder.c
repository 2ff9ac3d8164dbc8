/*
 * dicom-decoder - the process in which compressed pixels are decoded. Programs that convert start it, never a person;
 * all that it does is in subprojects/pixel-decoder.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder_main.h"

int main(int argc, char **argv)
{
    struct stat input;
    if (argc > 1 || fstat(STDIN_FILENO, &input) != 0 || !S_ISSOCK(input.st_mode)) {
        fprintf(stderr, "%s: decodes frames for the programs beside it, which start it themselves\n", argv[0]);
        return 1;
    }
    _exit(decoder_main()); /* nothing is worth finishing */
}
