/* arguments - see arguments.h. */
#include "net/arguments.h"

#include <errno.h>
#include <string.h>

#include "base/sized.h"
#include "net/address.h"
#include "net/tls.h"

int arguments_take_options(struct dicomnet_association_options *ret_own,
                           const struct dicomnet_association_options *given)
{
    return SIZED_TAKE(ret_own, proposal_count, given);
}

int arguments_take_accept_options(struct dicomnet_association_accept_options *ret_own,
                                  const struct dicomnet_association_accept_options *given)
{
    return SIZED_TAKE(ret_own, timeouts, given);
}

bool arguments_is_ae_title(const char title[DICOMNET_AE_SIZE])
{
    bool blank = true;
    if (memchr(title, '\0', DICOMNET_AE_SIZE) == NULL)
        return false;
    for (; *title != '\0'; title++) {
        if ((unsigned char)*title < ' ' || *title == 0x7F || *title == '\\')
            return false;
        blank = blank && *title == ' ';
    }
    return !blank;
}

static bool is_proposal(const struct dicomnet_association_proposal *proposal)
{
    if (proposal->abstract_syntax == NULL || proposal->abstract_syntax[0] == '\0' || proposal->syntax_count == 0 ||
        proposal->syntax_count > DICOMNET_ASSOCIATION_SYNTAXES_MAX)
        return false;
    for (size_t i = 0; i < proposal->syntax_count; i++)
        if (proposal->syntaxes[i] == NULL || proposal->syntaxes[i][0] == '\0')
            return false;
    return true;
}

static bool is_identity(const struct dicomnet_identity *identity)
{
    struct dicomnet_span primary = identity->primary, secondary = identity->secondary;
    if (identity->type < DICOMNET_IDENTITY_USER_NAME || identity->type > DICOMNET_IDENTITY_JWT)
        return false;
    if (primary.len == 0 || primary.data == NULL || (secondary.len > 0 && secondary.data == NULL))
        return false;
    if (secondary.len > 0 && identity->type != DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE)
        return false;
    return primary.len <= DICOMNET_IDENTITY_LEN_MAX && secondary.len <= DICOMNET_IDENTITY_LEN_MAX - primary.len;
}

static bool is_line(const struct dicomnet_association_line *line)
{
    bool keepalive = line->keepalive_s <= DICOMNET_ASSOCIATION_KEEPALIVE_MAX_S ||
                     line->keepalive_s == DICOMNET_ASSOCIATION_KEEPALIVE_OFF;
    return keepalive && line->buffer_bytes <= INT32_MAX / 2 && line->traffic_class <= UINT8_MAX;
}

/* 0 is the longest; less than what every peer has to take is of no use. */
static bool is_send_len(uint32_t len)
{
    return len == 0 || (len >= DICOMNET_ASSOCIATION_MAX_PDU_MIN && len <= DICOMNET_ASSOCIATION_PEER_PDU_CAP);
}

static int check_parameters(const struct dicomnet_association_parameters *parameters)
{
    union address local;
    if (parameters->host == NULL || parameters->host[0] == '\0' || parameters->port == 0)
        return -EINVAL;
    if (parameters->bind_address != NULL && address_parse(parameters->bind_address, 0, &local) != 0)
        return -EINVAL;
    if (parameters->tls != NULL && tls_is_for_server(parameters->tls))
        return -EINVAL;
    if (parameters->identity != NULL && !is_identity(parameters->identity))
        return -EINVAL;
    if (!is_line(&parameters->line) || !is_send_len(parameters->max_send_pdu_len))
        return -EINVAL;
    for (size_t i = 0; i < sizeof parameters->reserved / sizeof parameters->reserved[0]; i++)
        if (parameters->reserved[i] != NULL)
            return -EINVAL;
    return arguments_is_ae_title(parameters->called_ae) && arguments_is_ae_title(parameters->calling_ae)
               ? 0
               : DICOMNET_ERROR_AE_TITLE;
}

int arguments_check_options(const struct dicomnet_association_options *options)
{
    int error = check_parameters(&options->parameters);
    if (error != 0)
        return error;
    if (options->proposals == NULL || options->proposal_count == 0 ||
        options->proposal_count > DICOMNET_PDU_CONTEXTS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < options->proposal_count; i++)
        if (!is_proposal(&options->proposals[i]))
            return DICOMNET_ERROR_PROPOSAL;
    return 0;
}

int arguments_check_accept_options(const struct dicomnet_association_accept_options *options)
{
    if (options->tls != NULL && !tls_is_for_server(options->tls))
        return -EINVAL;
    if (!is_line(&options->line) || !is_send_len(options->max_send_pdu_len))
        return -EINVAL;
    return options->check_called_ae && !arguments_is_ae_title(options->ae) ? DICOMNET_ERROR_AE_TITLE : 0;
}
