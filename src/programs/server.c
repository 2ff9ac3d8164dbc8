/* server - see server.h. */
#include "programs/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/tls.h"
#include "programs/network_options.h"
#include "programs/option_groups.h"
#include "programs/secret_file.h"
#include "programs/tls_options.h"
#include "serve/accounts.h"
#include "serve/allowed.h"
#include "serve/listening.h"

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
    const struct option_list *addresses = &listening->bind_addresses;
    bool given = addresses->count > 0;
    struct dicomnet_acceptor_options acceptor = {
        .size = sizeof(struct dicomnet_acceptor_options),
        .bind_address = given ? addresses->items[0] : "127.0.0.1",
        .more_addresses = given ? addresses->items + 1 : NULL,
        .more_address_count = given ? addresses->count - 1 : 0,
        .port = (uint16_t)listening->port,
        .max_associations = listening->max_associations,
        .max_connections = listening->max_connections,
        .idle_ms = listening->idle_ms,
        .association = {.check_called_ae = listening->own_ae[0] != '\0',
                        .max_pdu_len = listening->network.max_pdu_len,
                        .max_send_pdu_len = listening->network.max_send_pdu_len,
                        .line = network_options_line(&listening->network),
                        .timeouts = listening->network.timeouts,
                        .logger = logger}};
    strcpy(acceptor.association.ae, listening->own_ae[0] != '\0' ? listening->own_ae : ae);
    return acceptor;
}

static int make_tls(const struct listening_group *listening, const char *program,
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

/* NAME:FILE. 0, or a negative error with what is wrong in `message`. */
static int add_account(struct accounts *accounts, const char *user, char message[OPTIONS_MESSAGE_SIZE])
{
    char name[ACCOUNT_NAME_MAX + 1], password[SECRET_PASSWORD_SIZE], why[SECRET_WHY_SIZE];
    const char *colon = strchr(user, ':');
    size_t len = colon != NULL ? (size_t)(colon - user) : 0;
    if (len == 0 || len > ACCOUNT_NAME_MAX || colon[1] == '\0') {
        snprintf(message, OPTIONS_MESSAGE_SIZE, "'%.80s' is not NAME:FILE, with a name of 1 to %d bytes", user,
                 ACCOUNT_NAME_MAX);
        return -EINVAL;
    }
    snprintf(name, sizeof name, "%.*s", (int)len, user);
    int error = secret_file_read_password(colon + 1, password, why);
    if (error != 0) {
        snprintf(message, OPTIONS_MESSAGE_SIZE, "'%.200s': %s", colon + 1, why);
        return error;
    }
    error = accounts_add(accounts, name, password);
    explicit_bzero(password, sizeof password);
    if (error != 0)
        snprintf(message, OPTIONS_MESSAGE_SIZE, "'%s' %s", name,
                 error == -EEXIST ? "is named twice" : dicomnet_error_text(error));
    return error;
}

static int make_accounts(const struct listening_group *listening, const char *program,
                         struct dicomnet_acceptor_options *acceptor)
{
    char message[OPTIONS_MESSAGE_SIZE] = "out of memory";
    if (listening->users.count == 0)
        return 0;
    struct accounts *accounts = accounts_create();
    int error = accounts == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < listening->users.count && error == 0; i++)
        error = add_account(accounts, listening->users.items[i], message);
    if (error != 0) {
        fprintf(stderr, "%s: --require-user: %s\n", program, message);
        accounts_destroy(accounts);
        return error;
    }
    if (acceptor->association.tls == NULL)
        fprintf(stderr, "%s: --require-user: passwords come over the line in clear: --tls encrypts it\n", program);
    acceptor->association.authenticate = accounts_authenticate;
    acceptor->association.authentication = accounts;
    return 0;
}

static int make_allowed(const struct listening_group *listening, const char *program,
                        struct dicomnet_acceptor_options *acceptor)
{
    const struct option_list *entries = &listening->allow_calling;
    struct allowed *allowed;
    const char *wrong;
    if (entries->count == 0)
        return 0;
    int error = allowed_create(&allowed, ALLOWED_AE_AT_HOST, entries->items, entries->count, &wrong);
    if (error != 0) {
        if (wrong != NULL)
            fprintf(stderr,
                    "%s: --allow-calling: '%.200s' is not AE, AE@HOST or @HOST, with an AE title of at most 16 "
                    "characters and an address, a network or a host that can be found\n",
                    program, wrong);
        else
            fprintf(stderr, "%s: --allow-calling: %s\n", program, dicomnet_error_text(error));
        return error;
    }
    acceptor->association.welcome = allowed_welcome;
    acceptor->association.welcomer = allowed;
    return 0;
}

int server_make_access(const struct listening_group *listening, const char *program,
                       struct dicomnet_acceptor_options *acceptor)
{
    int error = make_tls(listening, program, acceptor);
    if (error == 0)
        error = make_accounts(listening, program, acceptor);
    if (error == 0)
        error = make_allowed(listening, program, acceptor);
    if (error != 0)
        server_drop_access(acceptor);
    return error;
}

void server_drop_access(struct dicomnet_acceptor_options *acceptor)
{
    dicomnet_tls_destroy(acceptor->association.tls);
    accounts_destroy(acceptor->association.authentication);
    allowed_destroy(acceptor->association.welcomer);
    acceptor->association.tls = NULL;
    acceptor->association.authentication = NULL;
    acceptor->association.welcomer = NULL;
}

void server_say_listening(const struct dicomnet_acceptor_options *acceptor, uint16_t port)
{
    char text[128];
    for (size_t i = 0; i < listening_count(acceptor); i++) {
        listening_text(listening_address(acceptor, i), port, text, sizeof text);
        printf("listening on %s\n", text);
    }
    fflush(stdout);
}
