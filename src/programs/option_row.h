/*
 * option_row - what the rows of options_table.c are written with: short names of the programs that have an option, a
 * row and its field, and what several rows say of each other.
 */
#ifndef PROGRAMS_OPTION_ROW_H
#define PROGRAMS_OPTION_ROW_H

#include <stddef.h>

#include "programs/option_groups.h"
#include "programs/options_table.h"

#define SENDER    PROGRAM_SENDER
#define RECEIVER  PROGRAM_RECEIVER
#define ECHO      PROGRAM_ECHO
#define REPORT    PROGRAM_REPORT
#define ARCHIVE   PROGRAM_ARCHIVE
#define SERVER    (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)
#define FINDER    PROGRAM_FINDER
#define MOVER     PROGRAM_MOVER
#define ASKING    (PROGRAM_FINDER | PROGRAM_MOVER)
#define REQUESTOR (PROGRAM_SENDER | PROGRAM_ECHO | ASKING)
#define ALL       (SERVER | REQUESTOR)

/* A row. As clang-format knows it, its arguments share lines. */
#define OPTION(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* A member of a group: FIELD(query_group, level). */
#define FIELD(type, member)                                                                                            \
    {                                                                                                                  \
        GROUP_OF_##type, offsetof(struct type, member), sizeof((struct type *)NULL)->member                            \
    }

/* What is said of more than one pair of options. */
#define TWO_DESTINATIONS(one, other)                                                                                   \
    {                                                                                                                  \
        other, "--" one " and --" other " both name a destination; give one"                                           \
    }
#define NO_RECEIVER "--get needs no receiver: --receive-port, --receive-ae and --receive-bind belong to C-MOVE"
#define NO_FILES                                                                                                       \
    "--synthetic sends no files: give either it or paths (a destination is pacs://[AE@]HOST[:PORT] or AE@HOST:PORT)"
#define NO_FOLDER "--import, --reindex and --sync belong to --output-dir, which is missing"
#define ONLY_DICOM                                                                                                     \
    "--dicom excludes --output-dir, --import and --synthetic: it serves what it names and "                            \
    "keeps nothing"
#define SYNTHETIC_ONLY "--repeat and --duration belong to --synthetic, which is missing"

#endif
