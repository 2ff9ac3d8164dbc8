/* server - see server.h. */
#include "programs/server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "programs/option_groups.h"
#include "programs/tls_options.h"

int server_init(struct server *server, const char *program, void (*close)(void *user), void *user)
{
    *server = (struct server){.close = close, .user = user};
    int error = uv_loop_init(&server->loop);
    if (error != 0)
        fprintf(stderr, "%s: no event loop\n", program);
    return error;
}

static void on_interrupt(void *user, int number)
{
    (void)number;
    server_stop(user);
}

int server_hear_signals(struct server *server)
{
    return interrupt_listen(&server->interrupt, &server->loop, on_interrupt, server);
}

void server_stop(struct server *server)
{
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    server->close(server->user);
    interrupt_close(&server->interrupt);
}

void server_run(struct server *server)
{
    uv_run(&server->loop, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&server->loop);
    assert(closed == 0);
    (void)closed;
}

struct dicomnet_acceptor_options server_acceptor_of(const struct listening_group *listening, const char *ae,
                                                    const struct dicomnet_logger *logger)
{
    struct dicomnet_acceptor_options acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                                                 .bind_address = listening->bind_address,
                                                 .port = (uint16_t)listening->port,
                                                 .max_associations = listening->max_associations,
                                                 .max_connections = listening->max_connections,
                                                 .idle_ms = listening->idle_ms,
                                                 .association = {.check_called_ae = listening->own_ae[0] != '\0',
                                                                 .max_pdu_len = listening->network.max_pdu_len,
                                                                 .timeouts = listening->network.timeouts,
                                                                 .logger = logger}};
    strcpy(acceptor.association.ae, listening->own_ae[0] != '\0' ? listening->own_ae : ae);
    return acceptor;
}

int server_make_tls(const struct listening_group *listening, const char *program,
                    struct dicomnet_acceptor_options *acceptor)
{
    char message[OPTIONS_MESSAGE_SIZE];
    struct tls_group tls = listening->tls;
    tls.ca = NULL; /* of those that we connect to */
    if (!tls_options_ask(&tls))
        return 0;
    int error = tls_options_listen(&tls, &acceptor->association.tls, message, sizeof message);
    if (error != 0)
        fprintf(stderr, "%s: %s\n", program, message);
    return error;
}

void server_say_listening(const struct listening_group *listening, uint16_t port)
{
    bool brackets = strchr(listening->bind_address, ':') != NULL;
    printf("listening on %s%s%s:%u\n", brackets ? "[" : "", listening->bind_address, brackets ? "]" : "", port);
    fflush(stdout);
}
