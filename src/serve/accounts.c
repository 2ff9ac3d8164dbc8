/* accounts - see accounts.h. */
#include "serve/accounts.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "dicomnet/identity.h"

/* Both padded with NULs, so that all of it is compared, whatever the lengths. */
struct proof {
    uint8_t name[ACCOUNT_NAME_MAX + 1];
    uint8_t passcode[ACCOUNT_PASSCODE_MAX + 1];
};

struct account {
    struct list_node node;
    struct proof proof;
};

struct accounts {
    struct list all;
};

struct accounts *accounts_create(void)
{
    struct accounts *accounts = malloc(sizeof *accounts);
    if (accounts != NULL)
        list_init(&accounts->all);
    return accounts;
}

static void destroy_account(struct account *account)
{
    explicit_bzero(account, sizeof *account);
    free(account);
}

void accounts_destroy(struct accounts *accounts)
{
    struct list_node *node;
    while (accounts != NULL && (node = list_pop(&accounts->all)) != NULL)
        destroy_account(list_entry(node, struct account, node));
    free(accounts);
}

static bool fill(struct proof *ret_proof, struct dicomnet_span name, struct dicomnet_span passcode)
{
    memset(ret_proof, 0, sizeof *ret_proof);
    if (name.len == 0 || name.len > ACCOUNT_NAME_MAX || passcode.len == 0 || passcode.len > ACCOUNT_PASSCODE_MAX)
        return false;
    memcpy(ret_proof->name, name.data, name.len);
    memcpy(ret_proof->passcode, passcode.data, passcode.len);
    return true;
}

/* Looks at every byte of both. */
static bool is_same(const uint8_t *one, const uint8_t *other, size_t len)
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference = difference | (one[i] ^ other[i]);
    return difference == 0;
}

int accounts_add(struct accounts *accounts, const char *name, const char *passcode)
{
    struct account *account = calloc(1, sizeof *account);
    if (account == NULL)
        return -ENOMEM;
    int error = fill(&account->proof, dicomnet_span_of(name), dicomnet_span_of(passcode)) ? 0 : -EINVAL;
    for (struct list_node *node = list_first(&accounts->all); node != NULL; node = list_next(&accounts->all, node))
        if (error == 0 &&
            is_same(list_entry(node, struct account, node)->proof.name, account->proof.name, ACCOUNT_NAME_MAX))
            error = -EEXIST;
    if (error == 0)
        list_append(&accounts->all, &account->node);
    else
        destroy_account(account);
    return error;
}

bool accounts_have(const struct accounts *accounts, const struct dicomnet_identity *identity)
{
    struct proof given;
    unsigned found = 0;
    if (identity == NULL || identity->type != DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE ||
        !fill(&given, identity->primary, identity->secondary))
        return false;
    for (struct list_node *node = list_first(&accounts->all); node != NULL; node = list_next(&accounts->all, node)) {
        const struct proof *known = &list_entry(node, struct account, node)->proof;
        unsigned name = is_same(known->name, given.name, sizeof given.name);
        unsigned passcode = is_same(known->passcode, given.passcode, sizeof given.passcode);
        found |= name & passcode;
    }
    explicit_bzero(&given, sizeof given);
    return found != 0;
}

bool accounts_authenticate(void *accounts, struct dicomnet_association *association,
                           const struct dicomnet_identity *identity, struct dicomnet_span *ret_response)
{
    (void)association, (void)ret_response; /* a user's response is empty (PS3.7 Table D.3-15) */
    return accounts_have(accounts, identity);
}
