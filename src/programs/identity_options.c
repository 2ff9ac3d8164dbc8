/* identity_options - see identity_options.h. */
#include "programs/identity_options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dicomnet/identity.h"
#include "programs/option_groups.h"
#include "programs/secret_file.h"

/* An identity with its bytes behind it. */
struct kept {
    struct dicomnet_identity identity; /* the first member: what is given out */
    char password[SECRET_PASSWORD_SIZE];
    uint8_t bytes[DICOMNET_IDENTITY_LEN_MAX + 1]; /* the user name, or the token */
};

/* The kinds that are a file and nothing else. */
static const struct token_kind {
    enum dicomnet_identity_type type;
    const char *option;
    size_t file;       /* where its name is in struct identity_group */
    bool is_text;      /* white space at its end is the editor's */
    const char *looks; /* how one begins that is given in place of its file; NULL: nobody can tell */
} token_kinds[] = {
    {DICOMNET_IDENTITY_KERBEROS, "--kerberos-file", offsetof(struct identity_group, kerberos_file), false, NULL},
    {DICOMNET_IDENTITY_SAML, "--saml-file", offsetof(struct identity_group, saml_file), true, "<"},
    {DICOMNET_IDENTITY_JWT, "--jwt-file", offsetof(struct identity_group, jwt_file), true, "eyJ"},
};
enum { TOKEN_KINDS = sizeof token_kinds / sizeof token_kinds[0] };

static const char *file_of(const struct identity_group *group, const struct token_kind *kind)
{
    const char *file;
    memcpy(&file, (const char *)group + kind->file, sizeof file);
    return file;
}

/* How many identities there are. */
static unsigned count(const struct identity_group *group)
{
    unsigned kinds = group->user != NULL;
    for (size_t i = 0; i < TOKEN_KINDS; i++)
        kinds += file_of(group, &token_kinds[i]) != NULL;
    return kinds;
}

bool identity_options_name_one(const struct identity_group *group)
{
    return count(group) > 0;
}

static void clear_environment(void)
{
    char *value = getenv(IDENTITY_PASSWORD_VARIABLE);
    if (value != NULL)
        explicit_bzero(value, strlen(value)); /* where /proc shows it, too */
    unsetenv(IDENTITY_PASSWORD_VARIABLE);
}

/* Move the password out of the environment. False if there is none, or if it is too long. */
static bool take_from_environment(char ret_password[SECRET_PASSWORD_SIZE], bool *ret_too_long)
{
    const char *value = getenv(IDENTITY_PASSWORD_VARIABLE);
    size_t len = value != NULL ? strlen(value) : 0;
    *ret_too_long = len >= SECRET_PASSWORD_SIZE;
    if (len > 0 && !*ret_too_long)
        memcpy(ret_password, value, len + 1);
    clear_environment();
    return len > 0 && !*ret_too_long;
}

static int take_user(const struct identity_group *group, struct kept *kept, char *ret_message, size_t size)
{
    char why[SECRET_WHY_SIZE];
    bool too_long;
    bool has_password = take_from_environment(kept->password, &too_long);
    size_t len = strlen(group->user);
    if (len > DICOMNET_IDENTITY_LEN_MAX - SECRET_PASSWORD_SIZE || !text_is_utf8(group->user)) {
        snprintf(ret_message, size, "--user: the name is not UTF-8, or too long");
        return -EINVAL;
    }
    if (group->password_file != NULL) {
        int error = secret_file_read_password(group->password_file, kept->password, why);
        if (error != 0)
            snprintf(ret_message, size, "--password-file: '%.200s': %s", group->password_file, why);
        if (error != 0)
            return error;
        has_password = true;
    } else if (too_long) {
        snprintf(ret_message, size, "%s is longer than %d bytes", IDENTITY_PASSWORD_VARIABLE, SECRET_PASSWORD_SIZE - 1);
        return -EINVAL;
    }
    memcpy(kept->bytes, group->user, len);
    kept->identity.type = has_password ? DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE : DICOMNET_IDENTITY_USER_NAME;
    kept->identity.primary = (struct dicomnet_span){kept->bytes, len};
    if (has_password)
        kept->identity.secondary = dicomnet_span_of(kept->password);
    return 0;
}

static int take_token(const struct token_kind *kind, const char *file, struct kept *kept, char *ret_message,
                      size_t size)
{
    char why[SECRET_WHY_SIZE];
    size_t len;
    int error = secret_file_read_token(file, kept->bytes, sizeof kept->bytes, &len, why);
    /* A token that was typed in place of a file is not repeated. */
    if (error != 0 && kind->looks != NULL && strncmp(file, kind->looks, strlen(kind->looks)) == 0)
        snprintf(ret_message, size, "%s takes the name of a file; what is given looks like a token itself",
                 kind->option);
    else if (error != 0)
        snprintf(ret_message, size, "%s: '%.200s': %s", kind->option, file, why);
    if (error != 0)
        return error;
    while (kind->is_text && len > 0 && isspace(kept->bytes[len - 1]))
        len--;
    if (len == 0) {
        snprintf(ret_message, size, "%s: '%.200s': it is empty", kind->option, file);
        return -EINVAL;
    }
    kept->identity.type = kind->type;
    kept->identity.primary = (struct dicomnet_span){kept->bytes, len};
    return 0;
}

static int take(const struct identity_group *group, struct kept *kept, char *ret_message, size_t size)
{
    kept->identity.response_wanted = group->response_wanted;
    for (size_t i = 0; i < TOKEN_KINDS; i++)
        if (file_of(group, &token_kinds[i]) != NULL)
            return take_token(&token_kinds[i], file_of(group, &token_kinds[i]), kept, ret_message, size);
    return take_user(group, kept, ret_message, size);
}

int identity_options_make(const struct identity_group *group, struct dicomnet_identity **ret_identity,
                          char *ret_message, size_t size)
{
    unsigned kinds = count(group);
    const char *problem = NULL;
    *ret_identity = NULL;
    if (kinds > 1)
        problem = "an association has one identity: --user, --kerberos-file, --saml-file and --jwt-file exclude each "
                  "other";
    else if (group->password_file != NULL && group->user == NULL)
        problem = "--password-file is the password of a user: --user NAME is missing";
    else if (group->response_wanted && kinds == 0)
        problem = "--identity-response: there is no identity to be confirmed: --user, --kerberos-file, --saml-file or "
                  "--jwt-file is missing";
    if (problem != NULL)
        snprintf(ret_message, size, "%s", problem);
    if (group->user == NULL)
        clear_environment();
    if (problem != NULL || kinds == 0)
        return problem != NULL ? -EINVAL : 0;
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL) {
        snprintf(ret_message, size, "%s", dicomnet_error_text(-ENOMEM));
        return -ENOMEM;
    }
    int error = take(group, kept, ret_message, size);
    if (error == 0)
        *ret_identity = &kept->identity;
    else
        identity_options_destroy(&kept->identity);
    return error;
}

void identity_options_destroy(struct dicomnet_identity *identity)
{
    static_assert(offsetof(struct kept, identity) == 0, "what is given out is where the block begins");
    if (identity != NULL)
        explicit_bzero(identity, sizeof(struct kept));
    free(identity);
}

void identity_options_warn_in_clear(const struct dicomnet_identity *identity, const char *program)
{
    static const char *const secrets[] = {[DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE] = "password",
                                          [DICOMNET_IDENTITY_KERBEROS] = "Kerberos ticket",
                                          [DICOMNET_IDENTITY_SAML] = "SAML assertion",
                                          [DICOMNET_IDENTITY_JWT] = "JSON web token"};
    if (identity != NULL && identity->type != DICOMNET_IDENTITY_USER_NAME)
        fprintf(stderr, "%s: the %s goes over the line in clear: --tls encrypts it\n", program,
                secrets[identity->type]);
}
