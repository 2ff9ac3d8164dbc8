/* console - see console.h. */
#include "programs/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "base/text.h"
#include "instance/event.h"
#include "report/console_line.h"
#include "report/log_line.h"

/*
 * What any program needs to begin: libuv ends the process if it cannot open the pipe for signals, or a loop's own
 * files, of which a thread has four; then there are a log, a ledger, a socket, a file to be sent.
 */
enum { FREE_FILES_MIN = 24 };

static void write_line(struct text *line)
{
    if (!line->failed)
        fprintf(stderr, "%s\n", line->data);
    text_fini(line);
}

static void write_sentence(void *user, const struct dicomnet_log_record *record)
{
    struct text line = {0};

    (void)user;
    console_line_render(&line, &(struct event_record){.log = *record});
    write_line(&line);
}

static void write_record(void *user, const struct dicomnet_log_record *record)
{
    struct text line = {0};

    (void)user;
    log_line_render(&line, &(struct event_record){.log = *record});
    write_line(&line);
}

struct dicomnet_logger console_logger(enum dicomnet_log_level level)
{
    return (struct dicomnet_logger){.write = level >= DICOMNET_LOG_DEBUG ? write_record : write_sentence,
                                    .level = level};
}

static bool is_plain(const char *argument)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    return *argument != '\0' && argument[strspn(argument, plain)] == '\0';
}

static bool has_control(const char *argument)
{
    for (; *argument != '\0'; argument++)
        if ((unsigned char)*argument < 0x20 || *argument == 0x7F)
            return true;
    return false;
}

/* 'it'\''s'; and what is no text of one line as $'a\x0ab', which bash and others know. */
static void put_quoted(struct text *text, const char *argument)
{
    bool bytes = has_control(argument) || !text_is_utf8(argument);
    if (is_plain(argument)) {
        text_put(text, argument);
        return;
    }
    text_put(text, bytes ? "$'" : "'");
    for (; *argument != '\0'; argument++) {
        unsigned char byte = (unsigned char)*argument;
        if (bytes && (byte < 0x20 || byte >= 0x7F))
            text_printf(text, "\\x%02x", byte);
        else if (bytes && (byte == '\'' || byte == '\\'))
            text_printf(text, "\\%c", byte);
        else
            text_put(text, byte == '\'' ? "'\\''" : (const char[]){*argument, '\0'});
    }
    text_put(text, "'");
}

char *console_quote(int count, char *const *arguments)
{
    struct text text = {0};
    text_put(&text, "");
    for (int i = 0; i < count; i++) {
        text_put(&text, i > 0 ? " " : "");
        put_quoted(&text, arguments[i]);
    }
    if (text.failed)
        text_fini(&text);
    return text.data;
}

/* What standard output still keeps is written. */
static int end_output(const char *program, int exit_code)
{
    errno = 0;
    bool whole = fflush(stdout) == 0 && !ferror(stdout);
    if (whole || exit_code != 0)
        return exit_code;
    fprintf(stderr, "%s: standard output: %s\n", program, dicomnet_error_text(errno > 0 ? -errno : -EIO));
    return 1;
}

/*
 * A program may be started with standard streams closed. The next file or socket that is opened would then get a number
 * from 0 to 2, libuv does not close such a one, and what is printed would go into it. -1 if /dev/null cannot be opened.
 */
static int open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is taken, which is this one. */
        if (open("/dev/null", O_RDWR) != fd)
            return -1;
    }
    return 0;
}

/* True if FREE_FILES_MIN more files can be opened. */
static bool files_are_free(void)
{
    int fds[FREE_FILES_MIN];
    int count = 0;
    while (count < FREE_FILES_MIN && (fds[count] = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0)
        count++;
    bool enough = count == FREE_FILES_MIN;
    while (count > 0)
        close(fds[--count]);
    return enough;
}

/*
 * What a program needs first, before it uses libuv: standard streams that are closed become /dev/null; allocation that
 * does not give up at once; no SIGPIPE and no SIGXFSZ, as a peer that hangs up and a file that may not grow are errors
 * like any other; and as many open files as the system lets us have. Where that are too few to work with, `program`
 * says so on standard error and the process ends with 1.
 */
static void prepare_process(const char *program)
{
    struct rlimit files = {0};

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
    if (open_standard_streams() == 0 && files_are_free())
        return;
    fprintf(stderr, "%s: too few files may be open at a time: %llu (ulimit -n), and %d more than now are needed\n",
            program, (unsigned long long)files.rlim_cur, FREE_FILES_MIN);
    exit(1);
}

int console_say_error(const char *program, const char *what, const char *name, int error)
{
    fprintf(stderr, "%s: %s%s%s%s%s\n", program, what, name != NULL ? " '" : "", name != NULL ? name : "",
            name != NULL ? "': " : ": ", dicomnet_error_text(error));
    return -1;
}

const char *console_port_hint(int error, unsigned port)
{
    return error == -EACCES && port > 0 && port < 1024
               ? "; a port below 1024 takes privileges (root or CAP_NET_BIND_SERVICE): choose a higher one"
               : "";
}

int console_main(enum program program, struct options *options, int argc, char **argv, int (*run)(const void *options))
{
    const char *name = options_program_name(program);
    int exit_code = 1;
    prepare_process(name);
    if (options_begin(options, program, argc, argv, &exit_code))
        exit_code = run(options);
    options_fini(options);
    return end_output(name, exit_code);
}
