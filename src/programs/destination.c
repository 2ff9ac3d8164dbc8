/* destination - see destination.h. */
#include "programs/destination.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "dicomnet/tls.h"
#include "net/address.h"
#include "programs/identity_options.h"
#include "programs/network_options.h"
#include "programs/option_groups.h"
#include "programs/peers.h"
#include "programs/tls_options.h"

enum { PORT_DEFAULT = 104, PORT_TLS_DEFAULT = 2762 /* IANA: dicom-tls */ };

static const char url_prefix[] = "pacs://", tls_url_prefix[] = "pacss://";

const struct peer_words destination_words = {.called_ae = "--ae-title",
                                             .calling_ae = "--calling-ae",
                                             .tls = "--tls",
                                             .tls_ca = "--tls-ca",
                                             .tls_certificate = "--tls-cert",
                                             .tls_server_name = "--tls-server-name",
                                             .tls_pin = "--tls-pin",
                                             .user = "--user",
                                             .identity_response = "--identity-response",
                                             .transcode = "--transcode",
                                             .bind = "--bind"};

static bool is_tls_url(const char *argument)
{
    return strncasecmp(argument, tls_url_prefix, sizeof tls_url_prefix - 1) == 0;
}

/* What stands behind the scheme; the whole if there is none. */
static const char *behind_scheme(const char *argument)
{
    if (is_tls_url(argument))
        return argument + sizeof tls_url_prefix - 1;
    return strncasecmp(argument, url_prefix, sizeof url_prefix - 1) == 0 ? argument + sizeof url_prefix - 1 : argument;
}

static bool is_ipv6(const char *text)
{
    struct sockaddr_in6 address;
    return strchr(text, ':') != NULL && uv_ip6_addr(text, 0, &address) == 0;
}

/* A name, an IPv4 or an IPv6 address in brackets, by its characters; a number alone is none. */
static bool looks_like_a_host(const char *text, size_t len)
{
    bool only_digits = true;
    if (len > 2 && text[0] == '[' && text[len - 1] == ']')
        return true;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-._%", text[i]) == NULL)
            return false;
        only_digits = only_digits && isdigit((unsigned char)text[i]);
    }
    return len > 0 && !only_digits;
}

enum destination_shape destination_shape(const char *argument)
{
    const char *scheme = strstr(argument, "://");
    if (scheme != NULL && strcspn(argument, "/@[") == (size_t)(scheme - argument) + 1)
        return DESTINATION_URL;
    const char *at = strrchr(argument, '@'), *host = at != NULL ? at + 1 : argument;
    if (strchr(argument, '/') != NULL || at == argument)
        return DESTINATION_NONE;
    if (is_ipv6(host))
        return at != NULL ? DESTINATION_AE_HOST : DESTINATION_HOST;
    const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon != NULL && bracket != NULL && colon < bracket)
        colon = NULL;
    size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);
    bool port = colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    if (!looks_like_a_host(host, len) || (colon != NULL && !port))
        return DESTINATION_NONE;
    if (at != NULL)
        return port ? DESTINATION_AE_HOST_PORT : DESTINATION_AE_HOST;
    return port ? DESTINATION_HOST_PORT : DESTINATION_HOST;
}

/* What stands in a destination text, in its parts. */
struct parts {
    const char *ae, *host, *port;
    size_t ae_len, host_len, port_len; /* a part that is not there is NULL and 0 */
};

/*
 * "[AE@]HOST[:PORT]" into its parts. An AE title may hold an @ or a colon, a host may not: the last @ counts.
 * An IPv6 address needs no brackets if the port is said elsewhere.
 */
static const char *split(const char *text, size_t len, bool port_apart, struct parts *ret_parts)
{
    struct parts parts = {0};
    const char *end = text + len, *at = memrchr(text, '@', len);
    const char *host = at != NULL ? at + 1 : text;
    const char *host_end = end;
    if (at != NULL) {
        parts.ae = text;
        parts.ae_len = (size_t)(at - text);
    }
    if (port_apart && is_ipv6(host)) {
        parts.host = host;
        parts.host_len = (size_t)(end - host);
    } else if (host < end && *host == '[') {
        host_end = memchr(host, ']', (size_t)(end - host));
        if (host_end == NULL)
            return "a bracket is not closed";
        parts.host = host + 1;
        parts.host_len = (size_t)(host_end - host) - 1;
        host_end++;
        if (host_end < end && *host_end != ':')
            return "after ']' comes nothing but ':PORT'";
    } else {
        const char *colon = memchr(host, ':', (size_t)(end - host));
        host_end = colon != NULL ? colon : end;
        if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon) - 1) != NULL)
            return "an IPv6 address stands in brackets: [::1]:104";
        parts.host = host;
        parts.host_len = (size_t)(host_end - host);
    }
    if (host_end < end) {
        parts.port = host_end + 1;
        parts.port_len = (size_t)(end - parts.port);
    }
    *ret_parts = parts;
    return NULL;
}

/* A name, an IPv4 or an IPv6 address, by its characters. */
static bool host_is_plausible(const char *host)
{
    if (*host == '\0')
        return false;
    for (const char *c = host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-._:%", *c) == NULL)
            return false;
    return true;
}

/* In a URL the % in front of a zone is written %25 (RFC 6874). */
static void read_zone_of_url(char *host)
{
    char *zone = strstr(host, "%25");
    if (zone != NULL && strchr(host, ':') != NULL)
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
}

/* Copy a host without its brackets. NULL, or what is wrong with it. */
static const char *set_host(struct destination *destination, const char *host, size_t len, bool in_url)
{
    static const char no_host[] = "is not a host name or an address";
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= sizeof destination->host)
        return no_host;
    memcpy(destination->host, host, len);
    destination->host[len] = '\0';
    if (in_url)
        read_zone_of_url(destination->host);
    if (!host_is_plausible(destination->host))
        return no_host;
    return strchr(destination->host, ':') != NULL ? address_problem(destination->host) : NULL;
}

static bool set_port(struct destination *destination, const char *port, size_t len)
{
    unsigned value = 0;
    if (len < 1 || len > 5 || strspn(port, "0123456789") < len)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (unsigned)(port[i] - '0');
    destination->association.port = (uint16_t)value;
    destination->default_port = false;
    return value >= 1 && value <= 65535;
}

static const char *set_ae(char ae[DICOMNET_AE_SIZE], const char *title, size_t len)
{
    char copy[64];
    if (len >= sizeof copy)
        len = sizeof copy - 1;
    memcpy(copy, title, len);
    copy[len] = '\0';
    const char *problem = ae_title_problem(copy);
    if (problem == NULL)
        strcpy(ae, copy);
    return problem;
}

/* `port` is what stands behind it in a word of its own, or NULL. */
static int read_text(struct destination *destination, const char *text, const char *port, char *ret_message,
                     size_t size)
{
    const char *rest = behind_scheme(text);
    size_t len = strlen(text) - (size_t)(rest - text);
    struct parts parts;

    if (rest == text && destination_shape(text) == DESTINATION_URL) {
        snprintf(ret_message, size,
                 "'%.200s': the URLs of a destination are pacs://[AE@]HOST[:PORT] and, over TLS, "
                 "pacss://[AE@]HOST[:PORT]; HTTP is not there yet",
                 text);
        return -1;
    }
    destination->over_tls = destination->over_tls || is_tls_url(text);
    if (rest != text && len > 0 && rest[len - 1] == '/')
        len--;
    const char *problem = split(rest, len, port != NULL, &parts);
    if (problem == NULL && port != NULL) {
        parts.port = port;
        parts.port_len = strlen(port);
    }
    if (problem != NULL) {
        snprintf(ret_message, size, "'%.200s': %s", text, problem);
        return -1;
    }
    problem = set_host(destination, parts.host, parts.host_len, rest != text);
    if (problem != NULL) {
        snprintf(ret_message, size, "'%.200s': '%.*s' %s", text, parts.host_len < 200 ? (int)parts.host_len : 200,
                 parts.host, problem);
        return -1;
    }
    if (parts.port != NULL && !set_port(destination, parts.port, parts.port_len)) {
        snprintf(ret_message, size, "'%.200s': port '%.*s' is not a number from 1 to 65535", text,
                 parts.port_len < 40 ? (int)parts.port_len : 40, parts.port);
        return -1;
    }
    problem = parts.ae != NULL ? set_ae(destination->association.called_ae, parts.ae, parts.ae_len) : NULL;
    if (problem != NULL) {
        snprintf(ret_message, size,
                 "'%.200s': the AE title %s: it is 1 to 16 ASCII characters, no backslash, no control characters, not "
                 "all spaces",
                 text, problem);
        return -1;
    }
    return 0;
}

/* Where the file of peers is by default; false if the environment does not say. */
static bool peers_default_path(char *ret_path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int len = -1;
    if (config != NULL && config[0] == '/')
        len = snprintf(ret_path, size, "%s/dicom-sender/peers.json", config);
    else if (home != NULL && *home != '\0')
        len = snprintf(ret_path, size, "%s/.config/dicom-sender/peers.json", home);
    return len > 0 && (size_t)len < size;
}

static void use_text(const char **text, const char *from_file)
{
    if (*text == NULL && from_file[0] != '\0')
        *text = from_file;
}

/* What the options say wins. */
static void use_tls(const struct options *options, struct destination *destination, const struct peer_tls *from_file)
{
    struct tls_group *tls = &destination->tls;
    destination->over_tls = true;
    bool checked_as_given = tls->ca != NULL || tls->pin != NULL;
    if (!tls->insecure && !checked_as_given) {
        use_text(&tls->ca, from_file->ca);
        use_text(&tls->pin, from_file->pin);
        tls->insecure = from_file->insecure;
    }
    if (tls->certificate == NULL) {
        use_text(&tls->certificate, from_file->certificate);
        use_text(&tls->key, from_file->key);
        if (tls->key_password == NULL)
            use_text(&tls->password_file, from_file->password_file);
    }
    use_text(&tls->server_name, from_file->server_name);
    use_text(&tls->ciphers, from_file->ciphers);
    if (from_file->newest && !options_given(options, "tls-min"))
        tls->version_min = DICOMNET_TLS_1_3;
}

/* Who is named by the options does not borrow the password of another one. */
static void use_identity(struct destination *destination, const struct peer_identity *from_file)
{
    struct identity_group *identity = &destination->identity;
    if (identity_options_name_one(identity))
        return;
    use_text(&identity->user, from_file->user);
    use_text(&identity->password_file, from_file->password_file);
    use_text(&identity->kerberos_file, from_file->kerberos_file);
    use_text(&identity->saml_file, from_file->saml_file);
    use_text(&identity->jwt_file, from_file->jwt_file);
    identity->response_wanted = identity->response_wanted || from_file->response_wanted;
}

static int use_peer(const struct options *options, const struct peer *peer, struct destination *destination,
                    const char *path, char *ret_message, size_t size)
{
    if (peer->tls)
        use_tls(options, destination, &peer->with);
    use_identity(destination, &peer->as);
    const char *key = "host", *problem = set_host(destination, peer->host, strlen(peer->host), false);
    if (problem == NULL && peer->ae_title[0] != '\0') {
        key = "ae_title";
        problem = set_ae(destination->association.called_ae, peer->ae_title, strlen(peer->ae_title));
    }
    if (problem == NULL && peer->calling_ae[0] != '\0' && !options_given(options, "calling-ae")) {
        key = "calling_ae";
        problem = set_ae(destination->association.calling_ae, peer->calling_ae, strlen(peer->calling_ae));
    }
    if (peer->port != 0) {
        destination->association.port = peer->port;
        destination->default_port = false;
    }
    network_options_use_peer(options, peer, &destination->association);
    if (problem != NULL)
        snprintf(ret_message, size, "%s: peer '%s': \"%s\" %s", path, peer->name, key, problem);
    return problem != NULL ? -1 : 0;
}

/* The last of all ways to name a destination. 1 = found; 0 = there is no default peer; -1 = wrong, ret_message says
 * what. */
static int read_peers(const struct options *options, struct destination *destination, char *ret_path, size_t path_size,
                      char *ret_message, size_t size)
{
    const struct connection_group *connection = options_group_of(options, GROUP_CONNECTION);
    bool wanted = connection->peer != NULL || connection->config != NULL;
    if (connection->config != NULL)
        snprintf(ret_path, path_size, "%s", connection->config);
    else if (!peers_default_path(ret_path, path_size)) {
        snprintf(ret_path, path_size, "~/.config/dicom-sender/peers.json");
        snprintf(ret_message, size,
                 "--peer: neither XDG_CONFIG_HOME nor HOME says where the file of peers is; see --config");
        return connection->peer != NULL ? -1 : 0;
    }
    int result = peers_find(ret_path, connection->peer, &destination->from_file, ret_message, size);
    if (result > 0)
        return use_peer(options, &destination->from_file, destination, ret_path, ret_message, size) == 0 ? 1 : -1;
    return result < 0 || wanted ? -1 : 0;
}

static void describe(struct destination *destination)
{
    if (destination->loopback) {
        snprintf(destination->text, sizeof destination->text, "the loopback receiver");
        return;
    }
    bool brackets = strchr(destination->host, ':') != NULL;
    const char *over = !destination->over_tls ? "" : destination->tls.insecure ? " over TLS, unchecked" : " over TLS";
    snprintf(destination->text, sizeof destination->text, "%s@%s%s%s:%u%s", destination->association.called_ae,
             brackets ? "[" : "", destination->host, brackets ? "]" : "", destination->association.port, over);
}

/* --host, which takes a host, or all of a destination that is one word. */
static int read_host(struct destination *destination, const char *host, char *ret_message, size_t size)
{
    size_t len = strlen(host);
    if (destination_shape(host) > DESTINATION_NONE && destination_shape(host) < DESTINATION_HOST && !is_ipv6(host))
        return read_text(destination, host, NULL, ret_message, size);
    const char *problem = set_host(destination, host, len, false);
    if (problem != NULL)
        snprintf(ret_message, size, "--host: '%.200s' %s", host, problem);
    return problem == NULL ? 0 : -1;
}

static int read_default(const struct options *options, struct destination *destination, char *ret_message, size_t size)
{
    char path[1024] = "";
    int found = read_peers(options, destination, path, sizeof path, ret_message, size);
    if (found == 0)
        snprintf(ret_message, size,
                 "no destination: give --host HOST [--port PORT] [--ae-title AE], or pacs://[AE@]HOST[:PORT], "
                 "[AE@]HOST:PORT or [AE@]HOST PORT, or --peer NAME, or a default peer in %s%s",
                 path, options->program & (PROGRAM_SENDER | PROGRAM_ECHO) ? ", or --loopback" : "");
    return found > 0 ? 0 : found < 0 ? DESTINATION_WRONG : DESTINATION_MISSING;
}

/* What the options say of the association whatever the destination is, and what it is if nothing else says so. */
static void begin(struct destination *destination, const struct connection_group *connection)
{
    *destination = (struct destination){.association = {.host = destination->host,
                                                        .port = PORT_DEFAULT,
                                                        .window = connection->window,
                                                        .max_pdu_len = connection->network.max_pdu_len,
                                                        .max_send_pdu_len = connection->network.max_send_pdu_len,
                                                        .line = network_options_line(&connection->network),
                                                        .bind_address = connection->bind_address,
                                                        .timeouts = connection->network.timeouts},
                                        .default_port = true,
                                        .over_tls = tls_options_ask(&connection->tls),
                                        .tls = connection->tls,
                                        .identity = connection->identity,
                                        .loopback = connection->loopback};
    strcpy(destination->association.called_ae, connection->called_ae);
    strcpy(destination->association.calling_ae, connection->calling_ae);
}

void destination_be_nobody(const struct options *options, struct destination *ret_destination)
{
    begin(ret_destination, options_group_of(options, GROUP_CONNECTION));
    ret_destination->default_port = ret_destination->over_tls = false;
    ret_destination->association.port = 0;
    ret_destination->association.called_ae[0] = '\0';
    ret_destination->association.calling_ae[0] = '\0';
    strcpy(ret_destination->text, "nobody");
}

int destination_find(const struct options *options, struct destination *ret_destination, char *ret_message, size_t size)
{
    const struct connection_group *connection = options_group_of(options, GROUP_CONNECTION);
    struct destination *destination = ret_destination;
    const char *text = connection->destination != NULL ? connection->destination : connection->connect;
    /* If the peer's port stands in a word of its own, --port is that to receive on: see positionals.c. */
    bool port_given = options_given(options, "port") && connection->destination_port == NULL;
    int error = 0;

    begin(destination, connection);
    if (connection->loopback)
        error = 0; /* nothing else is needed */
    else if (text != NULL)
        error = read_text(destination, text, connection->destination_port, ret_message, size);
    else if (connection->host != NULL)
        error = read_host(destination, connection->host, ret_message, size);
    else
        error = read_default(options, destination, ret_message, size);
    if (error != 0)
        return error;
    if (port_given) {
        destination->association.port = (uint16_t)connection->port;
        destination->default_port = false;
    }
    if (options_given(options, "ae-title"))
        strcpy(destination->association.called_ae, connection->called_ae);
    if (destination->over_tls && destination->default_port)
        destination->association.port = PORT_TLS_DEFAULT;
    describe(destination);
    if (destination->over_tls)
        error = tls_options_connect(&destination->tls, &destination->association.tls, ret_message, size);
    if (error == 0)
        error = identity_options_make(&destination->identity, &destination->who_asks, ret_message, size);
    destination->association.identity = destination->who_asks;
    return error == 0 ? 0 : DESTINATION_WRONG;
}

void destination_warn(const struct destination *destination, const struct options *options)
{
    if (destination->over_tls)
        tls_options_warn(&destination->tls, options_program_name(options->program));
    else if (!destination->loopback)
        identity_options_warn_in_clear(destination->who_asks, options_program_name(options->program));
}

void destination_fini(struct destination *destination)
{
    dicomnet_tls_destroy(destination->association.tls);
    identity_options_destroy(destination->who_asks);
    destination->association.tls = NULL;
    destination->association.identity = destination->who_asks = NULL;
}

int destination_say(const struct options *options, int result, const char *message)
{
    if (result == DESTINATION_MISSING && options->nothing_typed)
        options_print_usage(options->program, stderr);
    else
        fprintf(stderr, "%s: %s\n", options_program_name(options->program), message);
    return 1;
}

void destination_explain(const struct destination *destination, char *text, size_t size)
{
    size_t len = strlen(text);
    if (destination->default_port && !destination->loopback &&
        strstr(text, dicomnet_error_text(UV_ECONNREFUSED)) != NULL)
        snprintf(text + len, size - len, "; no port was given, so it was %u (--port PORT)",
                 destination->association.port);
}
