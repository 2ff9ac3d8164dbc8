/* address - see address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* The zone's number, of its name or of the number itself; 0 = there is none such. */
static uint32_t zone_of(const char *text)
{
    char *end;
    unsigned number = if_nametoindex(text);
    if (number > 0)
        return number;
    unsigned long typed = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && typed <= UINT32_MAX ? (uint32_t)typed : 0;
}

int address_parse(const char *text, uint16_t port, union address *ret_address)
{
    *ret_address = (union address){.any = {.sa_family = AF_UNSPEC}};
    if (uv_ip4_addr(text, port, &ret_address->in) == 0)
        return 0;
    int error = uv_ip6_addr(text, port, &ret_address->in6);
    const char *zone = strchr(text, '%');
    if (error == 0 && zone != NULL) {
        ret_address->in6.sin6_scope_id = zone_of(zone + 1);
        error = ret_address->in6.sin6_scope_id != 0 ? 0 : UV_EINVAL;
    }
    return error;
}

const char *address_problem(const char *text)
{
    union address address;
    char bare[ADDRESS_TEXT_SIZE];
    const char *zone = strchr(text, '%');
    if (address_parse(text, 0, &address) == 0) {
        bool lacks_zone = address.any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.in6.sin6_addr) &&
                          address.in6.sin6_scope_id == 0;
        return lacks_zone ? "is link-local and needs its zone, as in fe80::1%eth0" : NULL;
    }
    snprintf(bare, sizeof bare, "%.*s", zone != NULL ? (int)(zone - text) : 0, text);
    bool only_zone = zone != NULL && zone - text < (int)sizeof bare && uv_ip6_addr(bare, 0, &address.in6) == 0;
    return only_zone ? "has a zone that is no network interface of this machine" : "is no IP address";
}

void address_copy(union address *address, const struct sockaddr *from)
{
    *address = (union address){.any = {.sa_family = AF_UNSPEC}};
    if (from->sa_family == AF_INET)
        memcpy(&address->in, from, sizeof address->in);
    else if (from->sa_family == AF_INET6)
        memcpy(&address->in6, from, sizeof address->in6);
}

size_t address_look_up(const char *host, union address *ret_addresses, size_t max)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    size_t count = 0;
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return 0;
    for (const struct addrinfo *one = list; one != NULL && count < max; one = one->ai_next)
        if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
            address_copy(&ret_addresses[count++], one->ai_addr);
    freeaddrinfo(list);
    return count;
}

uint16_t address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

bool address_is_any(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr)
                                              : address->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

void address_set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->in6.sin6_port = htons(port);
    else
        address->in.sin_port = htons(port);
}

static void add_zone(uint32_t number, char *text, size_t size)
{
    char name[IF_NAMESIZE];
    size_t len = strlen(text);
    if (number == 0)
        return;
    if (if_indextoname(number, name) != NULL)
        snprintf(text + len, size - len, "%%%s", name);
    else
        snprintf(text + len, size - len, "%%%u", (unsigned)number);
}

void address_host(const union address *address, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "?");
    if (address->any.sa_family == AF_INET) {
        uv_ip4_name(&address->in, ret_text, size);
    } else if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr)) {
        struct sockaddr_in inside = {.sin_family = AF_INET};
        memcpy(&inside.sin_addr, &address->in6.sin6_addr.s6_addr[12], sizeof inside.sin_addr);
        uv_ip4_name(&inside, ret_text, size);
    } else if (address->any.sa_family == AF_INET6) {
        uv_ip6_name(&address->in6, ret_text, size);
        add_zone(address->in6.sin6_scope_id, ret_text, size);
    }
}

void address_text(const union address *address, char *ret_text, size_t size)
{
    char host[ADDRESS_TEXT_SIZE - 10];
    address_host(address, host, sizeof host);
    snprintf(ret_text, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, address_port(address));
}
