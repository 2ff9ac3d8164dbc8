/* tls_options - see tls_options.h. */
#include "programs/tls_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dicomnet/tls.h"
#include "programs/option_groups.h"
#include "programs/secret_file.h"

bool tls_options_ask(const struct tls_group *tls)
{
    return tls->enabled || tls->ca != NULL || tls->certificate != NULL || tls->key != NULL ||
           tls->key_password != NULL || tls->password_file != NULL || tls->server_name != NULL || tls->pin != NULL ||
           tls->ciphers != NULL || tls->version_min != DICOMNET_TLS_1_2 || tls->insecure || tls->client_ca != NULL ||
           tls->client != TLS_CLIENT_UNSAID;
}

/* ---- both kinds ---- */

/* The password is in memory no longer than this takes. */
static int create(const struct tls_group *tls, struct dicomnet_tls_options *options, struct dicomnet_tls **ret_tls,
                  char *ret_message, size_t size)
{
    char password[SECRET_PASSWORD_SIZE] = "", why[DICOMNET_TLS_WHY_SIZE], why_not[SECRET_WHY_SIZE];
    int error = tls->password_file != NULL ? secret_file_read_password(tls->password_file, password, why_not) : 0;
    if (error != 0) {
        snprintf(ret_message, size, "--tls-key-password-file: '%.200s': %s", tls->password_file, why_not);
        return error;
    }
    options->certificate = tls->certificate;
    options->key = tls->key;
    options->key_password = tls->password_file != NULL ? password : tls->key_password;
    options->version_min = (enum dicomnet_tls_version)tls->version_min;
    options->ciphers = tls->ciphers;
    error = dicomnet_tls_create(ret_tls, options, why);
    explicit_bzero(password, sizeof password);
    if (error != 0)
        snprintf(ret_message, size, "TLS: %s", why[0] != '\0' ? why : dicomnet_error_text(error));
    return error;
}

int tls_options_connect(const struct tls_group *tls, struct dicomnet_tls **ret_tls, char *ret_message, size_t size)
{
    struct dicomnet_tls_options options = DICOMNET_TLS_OPTIONS_INIT;
    options.ca = tls->ca;
    options.server_name = tls->server_name;
    options.pin = tls->pin;
    options.insecure = tls->insecure;
    if (tls->insecure && (tls->pin != NULL || tls->ca != NULL)) {
        snprintf(ret_message, size, "--tls-insecure checks nothing: leave out --tls-ca and --tls-pin, or it");
        return -EINVAL;
    }
    return create(tls, &options, ret_tls, ret_message, size);
}

int tls_options_listen(const struct tls_group *tls, struct dicomnet_tls **ret_tls, char *ret_message, size_t size)
{
    static const enum dicomnet_tls_client clients[] = {[TLS_CLIENT_UNSAID] = DICOMNET_TLS_CLIENT_ANY,
                                                       [TLS_CLIENT_NONE] = DICOMNET_TLS_CLIENT_ANY,
                                                       [TLS_CLIENT_REQUEST] = DICOMNET_TLS_CLIENT_REQUEST,
                                                       [TLS_CLIENT_REQUIRE] = DICOMNET_TLS_CLIENT_REQUIRE};
    struct dicomnet_tls_options options = DICOMNET_TLS_OPTIONS_INIT;
    options.server = true;
    options.ca = tls->client_ca;
    options.client = clients[tls->client];
    if (tls->client == TLS_CLIENT_UNSAID && tls->client_ca != NULL)
        options.client = DICOMNET_TLS_CLIENT_REQUIRE;
    if (tls->certificate == NULL) {
        snprintf(ret_message, size, "TLS: who is connected to needs a certificate: --tls-cert and --tls-key");
        return DICOMNET_ERROR_TLS_OPTIONS;
    }
    return create(tls, &options, ret_tls, ret_message, size);
}

void tls_options_warn(const struct tls_group *tls, const char *program)
{
    bool red = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    if (tls->insecure)
        fprintf(stderr, "%s%s: --tls-insecure: nobody checks who answers there%s\n", red ? "\x1b[31m" : "", program,
                red ? "\x1b[0m" : "");
}
