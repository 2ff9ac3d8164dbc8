/* peers - see peers.h. */
#include "programs/peers.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dicomnet/association.h"
#include "net/address.h"
#include "programs/option_choices.h"

/* What is being read, for messages. */
struct reading {
    const char *path;
    char *text;
    size_t size;
};

static int say(const struct reading *reading, const char *what, const char *name)
{
    snprintf(reading->text, reading->size, "%s: %s%s%s%s", reading->path, what, name != NULL ? " '" : "",
             name != NULL ? name : "", name != NULL ? "'" : "");
    return -EINVAL;
}

static int say_of_peer(const struct reading *reading, const struct peer *peer, const char *key, const char *what)
{
    snprintf(reading->text, reading->size, "%s: peer '%s': \"%s\" %s", reading->path, peer->name, key, what);
    return -EINVAL;
}

/* Copy a JSON string into `ret_value`; it is not empty and fits. */
static int read_string(const struct reading *reading, const struct peer *peer, const char *key, const json_t *value,
                       char *ret_value, size_t size)
{
    const char *string = json_string_value(value);
    if (string == NULL || *string == '\0')
        return say_of_peer(reading, peer, key, "is not a text");
    if (strlen(string) >= size)
        return say_of_peer(reading, peer, key, "is too long");
    strcpy(ret_value, string);
    return 0;
}

static int read_tls_member(const struct reading *reading, struct peer *peer, const char *key, const json_t *value)
{
    struct peer_tls *tls = &peer->with;
    const struct {
        const char *key;
        char *value;
    } texts[] = {{"ca", tls->ca},
                 {"cert", tls->certificate},
                 {"key", tls->key},
                 {"key_password_file", tls->password_file},
                 {"server_name", tls->server_name},
                 {"pin", tls->pin},
                 {"ciphers", tls->ciphers}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(key, texts[i].key) == 0)
            return read_string(reading, peer, key, value, texts[i].value, PEER_VALUE_SIZE);
    if (strcmp(key, "insecure") == 0) {
        tls->insecure = json_is_true(value);
        return json_is_boolean(value) ? 0 : say_of_peer(reading, peer, key, "is neither true nor false");
    }
    if (strcmp(key, "min") == 0) {
        const char *version = json_is_string(value) ? json_string_value(value) : "";
        tls->newest = strcmp(version, "1.3") == 0;
        return tls->newest || strcmp(version, "1.2") == 0
                   ? 0
                   : say_of_peer(reading, peer, key, "is not \"1.2\" or \"1.3\"");
    }
    return say_of_peer(reading, peer, key,
                       "is not one of ca, cert, key, key_password_file, server_name, pin, ciphers, min, insecure");
}

static int read_tls(const struct reading *reading, struct peer *peer, json_t *value)
{
    const char *key;
    json_t *member;
    peer->tls = !json_is_false(value);
    if (json_is_boolean(value))
        return 0;
    if (!json_is_object(value))
        return say_of_peer(reading, peer, "tls", "is not a JSON object, true or false");
    json_object_foreach(value, key, member)
    {
        int error = read_tls_member(reading, peer, key, member);
        if (error != 0)
            return error;
    }
    return 0;
}

/* 1 if `key` is not one of these. */
static int read_identity_member(const struct reading *reading, struct peer *peer, const char *key, const json_t *value)
{
    struct peer_identity *identity = &peer->as;
    const struct {
        const char *key;
        char *value;
    } texts[] = {{"user", identity->user},
                 {"password_file", identity->password_file},
                 {"kerberos_file", identity->kerberos_file},
                 {"saml_file", identity->saml_file},
                 {"jwt_file", identity->jwt_file}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(key, texts[i].key) == 0)
            return read_string(reading, peer, key, value, texts[i].value, PEER_VALUE_SIZE);
    if (strcmp(key, "password") == 0)
        return say_of_peer(reading, peer, key, "does not belong into this file; see \"password_file\"");
    if (strcmp(key, "identity_response") != 0)
        return 1;
    identity->response_wanted = json_is_true(value);
    return json_is_boolean(value) ? 0 : say_of_peer(reading, peer, key, "is neither true nor false");
}

static int read_number(const struct reading *reading, const struct peer *peer, const char *key, const json_t *value,
                       uint32_t min, uint32_t max, struct peer_number *ret_number)
{
    char problem[64];
    json_int_t number = json_integer_value(value);
    snprintf(problem, sizeof problem, "is not a number from %u to %u", min, max);
    if (!json_is_integer(value) || number < min || number > max)
        return say_of_peer(reading, peer, key, problem);
    *ret_number = (struct peer_number){.said = true, .value = (uint32_t)number};
    return 0;
}

/* A name or a number, as --tos takes it. */
static int read_traffic_class(const struct reading *reading, const struct peer *peer, const char *key,
                              const json_t *value, struct peer_number *ret_number)
{
    const char *name = json_string_value(value);
    for (const struct option_choice *choice = option_traffic_classes; name != NULL && choice->name != NULL; choice++) {
        if (strcasecmp(choice->name, name) != 0)
            continue;
        *ret_number = (struct peer_number){.said = true, .value = choice->value};
        return 0;
    }
    if (name != NULL || json_integer_value(value) % 4 != 0)
        return say_of_peer(reading, peer, key, "is no traffic class: a name such as ef, or four times a code point");
    return read_number(reading, peer, key, value, 0, 255, ret_number);
}

/* 1: it is none of these. */
static int read_network_member(const struct reading *reading, struct peer *peer, const char *key, const json_t *value)
{
    struct peer_network *network = &peer->network;
    if (strcmp(key, "bind") == 0) {
        int error = read_string(reading, peer, key, value, peer->bind, sizeof peer->bind);
        const char *problem = error == 0 ? address_problem(peer->bind) : NULL;
        return problem != NULL ? say_of_peer(reading, peer, key, problem) : error;
    }
    if (strcmp(key, "tos") == 0)
        return read_traffic_class(reading, peer, key, value, &network->traffic_class);
    if (strcmp(key, "keepalive") == 0)
        return read_number(reading, peer, key, value, 0, DICOMNET_ASSOCIATION_KEEPALIVE_MAX_S, &network->keepalive);
    if (strcmp(key, "socket_buffer") == 0)
        return read_number(reading, peer, key, value, 0, 1 << 30, &network->socket_buffer);
    if (strcmp(key, "max_send_pdu") == 0)
        return read_number(reading, peer, key, value, DICOMNET_ASSOCIATION_MAX_PDU_MIN,
                           DICOMNET_ASSOCIATION_PEER_PDU_CAP, &network->max_send_pdu);
    return 1;
}

static int read_member(const struct reading *reading, struct peer *peer, const char *key, json_t *value)
{
    if (strcmp(key, "host") == 0)
        return read_string(reading, peer, key, value, peer->host, sizeof peer->host);
    if (strcmp(key, "ae_title") == 0)
        return read_string(reading, peer, key, value, peer->ae_title, sizeof peer->ae_title);
    if (strcmp(key, "calling_ae") == 0)
        return read_string(reading, peer, key, value, peer->calling_ae, sizeof peer->calling_ae);
    if (strcmp(key, "port") == 0) {
        if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > 65535)
            return say_of_peer(reading, peer, key, "is not a number from 1 to 65535");
        peer->port = (uint16_t)json_integer_value(value);
        return 0;
    }
    if (strcmp(key, "tls") == 0)
        return read_tls(reading, peer, value);
    int result = read_identity_member(reading, peer, key, value);
    if (result > 0)
        result = read_network_member(reading, peer, key, value);
    return result <= 0 ? result
                       : say_of_peer(reading, peer, key,
                                     "is not one of host, port, ae_title, calling_ae, bind, keepalive, tos, "
                                     "socket_buffer, max_send_pdu, tls, user, password_file, kerberos_file, saml_file, "
                                     "jwt_file, identity_response");
}

static int read_peer(const struct reading *reading, const char *name, json_t *object, struct peer *ret_peer)
{
    const char *key;
    json_t *value;
    if (strlen(name) >= sizeof ret_peer->name)
        return say(reading, "a name of more than 63 bytes:", name);
    *ret_peer = (struct peer){0};
    strcpy(ret_peer->name, name);
    if (!json_is_object(object))
        return say(reading, "not a JSON object: peer", name);
    json_object_foreach(object, key, value)
    {
        int error = read_member(reading, ret_peer, key, value);
        if (error != 0)
            return error;
    }
    return *ret_peer->host == '\0' ? say_of_peer(reading, ret_peer, "host", "is missing") : 0;
}

/* "no peer 'x'; there are main, test" */
static void say_names(const struct reading *reading, const char *name, json_t *peers)
{
    const char *key;
    json_t *value;
    say(reading, "no peer", name);
    size_t len = strlen(reading->text);
    const char *before = "; there are ";
    json_object_foreach(peers, key, value)
    {
        if (len + 1 < reading->size)
            len += (size_t)snprintf(reading->text + len, reading->size - len, "%s%s", before, key);
        before = ", ";
    }
}

/* Check all of the file, whichever peer is wanted, so that a slip shows at once. */
static int find_in(const struct reading *reading, json_t *root, const char *name, struct peer *ret_peer)
{
    const char *key;
    json_t *value, *peers = json_object_get(root, "peers"), *chosen = json_object_get(root, "default");
    bool found = false;

    if (!json_is_object(root))
        return say(reading, "not a JSON object with \"peers\" and \"default\"", NULL);
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "peers") != 0 && strcmp(key, "default") != 0)
            return say(reading, "a key that is neither \"peers\" nor \"default\":", key);
    }
    if (!json_is_object(peers))
        return say(reading, "\"peers\" is missing or no JSON object", NULL);
    if (chosen != NULL && json_object_get(peers, json_is_string(chosen) ? json_string_value(chosen) : "") == NULL)
        return say(reading, "\"default\" does not name one of its peers", NULL);
    if (name == NULL)
        name = json_string_value(chosen);
    json_object_foreach(peers, key, value)
    {
        struct peer peer;
        int error = read_peer(reading, key, value, &peer);
        if (error != 0)
            return error;
        if (name != NULL && strcmp(key, name) == 0) {
            *ret_peer = peer;
            found = true;
        }
    }
    if (name == NULL)
        say(reading, "it names no \"default\" peer", NULL);
    else if (!found)
        say_names(reading, name, peers);
    return found ? 1 : 0;
}

int peers_find(const char *path, const char *name, struct peer *ret_peer, char *ret_text, size_t size)
{
    struct reading reading = {.path = path, .text = ret_text, .size = size};
    json_error_t error;

    ret_text[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL && (errno == ENOENT || errno == ENOTDIR)) {
        say(&reading, "no such file", NULL);
        return 0;
    }
    if (file == NULL) {
        int code = -errno;
        say(&reading, dicomnet_error_text(code), NULL);
        return code;
    }
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    if (root == NULL) {
        snprintf(ret_text, size, "%s:%d: %s", path, error.line, error.text);
        return -EINVAL;
    }
    int result = find_in(&reading, root, name, ret_peer);
    json_decref(root);
    return result;
}
