/* console - see console.h. */
#include "programs/console.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/memory.h"
#include "report/console_line.h"
#include "report/log_line.h"
#include "report/text.h"

static void write_line(struct text *line)
{
    if (!line->failed)
        fprintf(stderr, "%s\n", line->data);
    text_fini(line);
}

static void write_sentence(void *user, const struct log_record *record)
{
    struct text line = {0};

    (void)user;
    console_line_render(&line, record);
    write_line(&line);
}

static void write_record(void *user, const struct log_record *record)
{
    struct text line = {0};

    (void)user;
    log_line_render(&line, record);
    write_line(&line);
}

struct logger console_logger(enum log_level level)
{
    return (struct logger){.write = level >= LOG_DEBUG ? write_record : write_sentence, .level = level};
}

void console_prepare_process(void)
{
    struct rlimit files;

    /* libuv ends the process when memory for a loop's table of descriptors is short. */
    (void)uv_replace_allocator(memory_allocate, memory_resize, memory_allocate_zeroed, free);
    /* What these programs write is about patients: nobody but user and group is to read it, whatever the umask says. */
    umask(umask(S_IRWXO) | S_IWGRP | S_IRWXO);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}
