/* allowed - see serve/allowed.h. */
#include "serve/allowed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/list.h"

enum { ADDRESS_SIZE = 64, AE_LEN_MAX = 16 };

struct allowed {
    struct list names;
};

/* An AE title, or an address as text. */
struct name {
    struct list_node node;
    bool is_address;
    char text[ADDRESS_SIZE];
};

/* An IPv4 address that is mapped into IPv6 (::ffff:192.0.2.1), as the IPv4 address that it is. */
static const char *plain_address(const char *text)
{
    return strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL ? text + 7 : text;
}

static int add(struct allowed *allowed, const char *text, bool is_address)
{
    struct name *name = calloc(1, sizeof *name);
    if (name == NULL)
        return -ENOMEM;
    name->is_address = is_address;
    snprintf(name->text, sizeof name->text, "%s", is_address ? plain_address(text) : text);
    list_append(&allowed->names, &name->node);
    return 0;
}

/* Add the addresses that a host name, or an address as text, stands for. Returns how many there are, or -ENOMEM. */
static int add_addresses(struct allowed *allowed, struct uv_loop_s *loop, const char *host)
{
    uv_getaddrinfo_t request;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int count = 0;
    if (uv_getaddrinfo(loop, &request, NULL, host, NULL, &hints) != 0)
        return 0;
    for (const struct addrinfo *address = request.addrinfo; address != NULL && count >= 0; address = address->ai_next) {
        char text[ADDRESS_SIZE];
        if (uv_ip_name(address->ai_addr, text, sizeof text) != 0)
            continue;
        count = add(allowed, text, true) == 0 ? count + 1 : -ENOMEM;
    }
    uv_freeaddrinfo(request.addrinfo);
    return count;
}

int allowed_create(struct allowed **ret_allowed, struct uv_loop_s *loop, const char *const *names, size_t count,
                   const char **ret_name)
{
    struct allowed *allowed = calloc(1, sizeof *allowed);
    int error = allowed != NULL ? 0 : -ENOMEM;
    *ret_name = NULL;
    if (allowed != NULL)
        list_init(&allowed->names);
    for (size_t i = 0; i < count && error == 0; i++) {
        bool may_be_title = strlen(names[i]) <= AE_LEN_MAX;
        int addresses = add_addresses(allowed, loop, names[i]);
        error = addresses < 0 ? addresses : may_be_title ? add(allowed, names[i], false) : addresses > 0 ? 0 : -EINVAL;
        if (error == -EINVAL)
            *ret_name = names[i];
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
    for (struct list_node *node = list_pop(&allowed->names); node != NULL; node = list_pop(&allowed->names))
        free(list_entry(node, struct name, node));
    free(allowed);
}

bool allowed_has(const struct allowed *allowed, const char *calling_ae, const char *peer)
{
    char text[ADDRESS_SIZE] = "";
    bool brackets = peer[0] == '[';
    size_t len = brackets ? strcspn(peer + 1, "]") : strcspn(peer, ":");
    if (len < sizeof text)
        memcpy(text, peer + brackets, len);
    const char *address = plain_address(text);
    for (struct list_node *node = list_first(&allowed->names); node != NULL; node = list_next(&allowed->names, node)) {
        const struct name *name = list_entry(node, struct name, node);
        if (strcmp(name->text, name->is_address ? address : calling_ae) == 0)
            return true;
    }
    return false;
}
