/*
 * server - what dicom-receiver and dicom-archive have around that which they serve: a loop, the signals that end it,
 * the options of what listens, and the line that says where.
 *
 *     server_init  ->  open what is served on server.loop  ->  server_hear_signals, server_say_listening
 *                  ->  server_run: until a signal, or server_stop
 */
#ifndef PROGRAMS_SERVER_H
#define PROGRAMS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "dicomnet/acceptor.h"
#include "programs/interrupt.h"

struct listening_group;

struct server {
    uv_loop_t loop;
    struct interrupt interrupt;
    bool is_stopping;
    void (*close)(void *user); /* what is served; called once */
    void *user;
};

/*
 * Have a loop, to be run in any case then. `close` is to close what was opened on it. 0, or a negative error after a
 * line on standard error.
 */
int server_init(struct server *server, const char *program, void (*close)(void *user), void *user) DICOMNET_MUST_CHECK;

/* SIGINT, SIGTERM and SIGHUP end it from now on. 0 or a negative error. */
int server_hear_signals(struct server *server) DICOMNET_MUST_CHECK;

/* Close what is served, and hear no more signals. Once: further calls do nothing. */
void server_stop(struct server *server);

/* Turn the loop until nothing is open on it any more. */
void server_run(struct server *server);

/* Where to listen, for whom and how long, as the options say; `ae` is what it is called if they do not. */
struct dicomnet_acceptor_options server_acceptor_of(const struct listening_group *listening, const char *ae,
                                                    const struct dicomnet_logger *logger);

/*
 * Who may come to it, and how, as the options say: over TLS, if they ask for it; and those users whom they name, and
 * nobody else, if they name any. Files and passwords are read here. 0 with acceptor->association set up, or a negative
 * error after a line on standard error. That passwords come over the line in clear is said there, too.
 */
int server_make_access(const struct listening_group *listening, const char *program,
                       struct dicomnet_acceptor_options *acceptor) DICOMNET_MUST_CHECK;

/* Undo it, when nobody listens any more. Safe twice. */
void server_drop_access(struct dicomnet_acceptor_options *acceptor);

/* "listening on 127.0.0.1:104" on standard output, a line for each address. */
void server_say_listening(const struct dicomnet_acceptor_options *acceptor, uint16_t port);

#endif
