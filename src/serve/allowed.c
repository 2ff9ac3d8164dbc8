/* allowed - see serve/allowed.h. */
#include "serve/allowed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "dicomnet/association.h"
#include "net/address.h"

enum { HOST_ADDRESSES_MAX = 64, AE_LEN_MAX = DICOMNET_AE_SIZE - 1, HOST_SIZE = 256 };

struct allowed {
    struct list rules;
};

/* Both have to be right; what is not said always is. */
struct rule {
    struct list_node node;
    char ae[DICOMNET_AE_SIZE]; /* "" = any */
    bool has_network;
    struct network {
        union address address;
        unsigned bits; /* that count, from the first on */
    } network;
};

static int add(struct allowed *allowed, const char *ae, size_t ae_len, const struct network *network)
{
    struct rule *rule = calloc(1, sizeof *rule);
    if (rule == NULL)
        return -ENOMEM;
    memcpy(rule->ae, ae, ae_len);
    rule->has_network = network != NULL;
    if (network != NULL)
        rule->network = *network;
    list_append(&allowed->rules, &rule->node);
    return 0;
}

/* ---- hosts ---- */

/* The bytes of an address; of IPv4 inside IPv6 those of IPv4. */
static const uint8_t *bytes_of(const union address *address, unsigned *ret_bits)
{
    if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr)) {
        *ret_bits = 32;
        return &address->in6.sin6_addr.s6_addr[12];
    }
    *ret_bits = address->any.sa_family == AF_INET6 ? 128 : 32;
    return address->any.sa_family == AF_INET6 ? address->in6.sin6_addr.s6_addr
                                              : (const uint8_t *)&address->in.sin_addr.s_addr;
}

static bool network_has(const struct network *network, const union address *address)
{
    unsigned own_bits, bits;
    const uint8_t *own = bytes_of(&network->address, &own_bits), *other = bytes_of(address, &bits);
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (bits != own_bits || memcmp(own, other, whole) != 0)
        return false;
    return rest == 0 || (own[whole] ^ other[whole]) >> (8 - rest) == 0;
}

/* "192.0.2.0/24". True if it is one. */
static bool read_network(const char *text, struct network *ret_network)
{
    char host[HOST_SIZE], *end;
    const char *slash = strchr(text, '/');
    unsigned most;
    if (slash == NULL || slash - text >= HOST_SIZE || slash[1] < '0' || slash[1] > '9')
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(slash - text), text);
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (address_parse(host, 0, &ret_network->address) != 0 || *end != '\0')
        return false;
    (void)bytes_of(&ret_network->address, &most);
    ret_network->bits = (unsigned)bits;
    return bits <= most;
}

/* Add a rule for each network that the host stands for, with this title. Returns how many there are, or -ENOMEM. */
static int add_host(struct allowed *allowed, const char *ae, size_t ae_len, const char *host)
{
    union address addresses[HOST_ADDRESSES_MAX];
    struct network network;
    if (strchr(host, '/') != NULL)
        return !read_network(host, &network) ? 0 : add(allowed, ae, ae_len, &network) == 0 ? 1 : -ENOMEM;
    size_t count = address_look_up(host, addresses, HOST_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        network.address = addresses[i];
        (void)bytes_of(&network.address, &network.bits);
        if (add(allowed, ae, ae_len, &network) != 0)
            return -ENOMEM;
    }
    return (int)count;
}

/* ---- entries ---- */

static int add_either(struct allowed *allowed, const char *entry)
{
    size_t len = strlen(entry);
    int hosts = add_host(allowed, "", 0, entry);
    if (hosts < 0)
        return hosts;
    bool may_be_title = len <= AE_LEN_MAX;
    return may_be_title ? add(allowed, entry, len, NULL) : hosts > 0 ? 0 : -EINVAL;
}

/* An AE title may hold an @, a host may not: the last one counts. */
static int add_both(struct allowed *allowed, const char *entry)
{
    const char *at = strrchr(entry, '@');
    size_t len = at != NULL ? (size_t)(at - entry) : strlen(entry);
    if (len > AE_LEN_MAX || (len == 0 && at == NULL) || (at != NULL && at[1] == '\0'))
        return -EINVAL;
    if (at == NULL)
        return add(allowed, entry, len, NULL);
    int hosts = add_host(allowed, entry, len, at + 1);
    return hosts < 0 ? hosts : hosts > 0 ? 0 : -EINVAL;
}

int allowed_create(struct allowed **ret_allowed, enum allowed_form form, const char *const *entries, size_t count,
                   const char **ret_entry)
{
    struct allowed *allowed = calloc(1, sizeof *allowed);
    int error = allowed != NULL ? 0 : -ENOMEM;
    *ret_entry = NULL;
    if (allowed != NULL)
        list_init(&allowed->rules);
    for (size_t i = 0; i < count && error == 0; i++) {
        error = form == ALLOWED_AE_OR_HOST ? add_either(allowed, entries[i]) : add_both(allowed, entries[i]);
        if (error == -EINVAL)
            *ret_entry = entries[i];
    }
    if (error != 0) {
        allowed_destroy(allowed);
        return error;
    }
    *ret_allowed = allowed;
    return 0;
}

void allowed_destroy(struct allowed *allowed)
{
    if (allowed == NULL)
        return;
    for (struct list_node *node = list_pop(&allowed->rules); node != NULL; node = list_pop(&allowed->rules))
        free(list_entry(node, struct rule, node));
    free(allowed);
}

bool allowed_has(const struct allowed *allowed, const char *calling_ae, const char *peer)
{
    char host[ADDRESS_TEXT_SIZE] = "";
    union address address;
    bool brackets = peer[0] == '[';
    size_t len = brackets ? strcspn(peer + 1, "]") : strcspn(peer, ":");
    if (len < sizeof host)
        memcpy(host, peer + brackets, len);
    bool known = address_parse(host, 0, &address) == 0;
    for (struct list_node *node = list_first(&allowed->rules); node != NULL; node = list_next(&allowed->rules, node)) {
        const struct rule *rule = list_entry(node, struct rule, node);
        if (rule->ae[0] != '\0' && strcmp(rule->ae, calling_ae) != 0)
            continue;
        if (!rule->has_network || (known && network_has(&rule->network, &address)))
            return true;
    }
    return false;
}

bool allowed_welcome(void *welcomer, const struct dicomnet_association *association)
{
    return allowed_has(welcomer, dicomnet_association_calling_ae(association), dicomnet_association_peer(association));
}
