/*
 * positionals - the arguments that belong to no option: a destination, and what is to be sent or asked for.
 *
 * A destination may stand before the paths or behind them, in one word or in two:
 *
 *     pacs://[AE@]HOST[:PORT]     AE@HOST:PORT     HOST:PORT     AE@HOST (with -p PORT)     [AE@]HOST PORT
 *
 * A path of dicom-sender that exists is a path, whatever it looks like (but for pacs://), and so is what follows `--`.
 * Two destinations, wherever they are said, are an error. The programs that ask a peer take nothing but a destination;
 * dicom-finder and dicom-mover also KEY=VALUE and one file of keys, as other tools do. The servers take a port.
 */
#ifndef PROGRAMS_POSITIONALS_H
#define PROGRAMS_POSITIONALS_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/error.h"

struct options;

struct positional {
    const char *text;
    size_t inputs_before; /* how many inputs options had given when it came */
    bool behind_dashes;   /* behind "--": no destination */
};

/*
 * Put `count` positionals where they belong in `options`, which has read everything else. `words` is changed. 0, or -1
 * and one line in `ret_message` of OPTIONS_MESSAGE_SIZE bytes.
 */
int positionals_place(struct options *options, struct positional *words, size_t count,
                      char *ret_message) DICOMNET_MUST_CHECK;

#endif
