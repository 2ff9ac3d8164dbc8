/* foreign - see foreign.h. */
#include "wire/foreign.h"

#include <stdbool.h>
#include <string.h>

#include "dicomnet/error.h"

enum { BEGINNING_MAX = 8, LEN_ENOUGH = 8 };

/* What a protocol's first message begins with. '#' stands for any digit. */
static const struct beginning {
    int error;
    char text[BEGINNING_MAX + 1];
    size_t len;
} beginnings[] = {
    {DICOMNET_ERROR_PEER_SPEAKS_TLS, "\x16\x03", 2}, /* handshake: ClientHello, ServerHello (RFC 8446 5.1) */
    {DICOMNET_ERROR_PEER_SPEAKS_TLS, "\x15\x03", 2}, /* alert: what a TLS server says to an A-ASSOCIATE-RQ */
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "HTTP/", 5},   /* an answer */
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "GET ", 4},    /* requests */
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "HEAD ", 5},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "POST ", 5},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "PUT ", 4},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "OPTIONS ", 8},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "CONNECT ", 8},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "DELETE ", 7},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "PRI * HT", 8}, /* HTTP/2 */
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "<html", 5},    /* a page without a header, HTTP/0.9 */
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "<HTML", 5},
    {DICOMNET_ERROR_PEER_SPEAKS_HTTP, "<!DOCTYP", 8},
    {DICOMNET_ERROR_PEER_SPEAKS_SSH, "SSH-", 4},    /* RFC 4253 4.2 */
    {DICOMNET_ERROR_PEER_SPEAKS_HL7, "\x0BMSH", 4}, /* MLLP: VT, then a message of HL7 version 2 */
    {DICOMNET_ERROR_PEER_SPEAKS_HL7,
     "\x0B"
     "FHS",
     4},
    {DICOMNET_ERROR_PEER_SPEAKS_HL7,
     "\x0B"
     "BHS",
     4},
    {DICOMNET_ERROR_PEER_SPEAKS_HL7, "MSH|", 4},
    {DICOMNET_ERROR_PEER_SPEAKS_HL7, "\x0B", 1},         /* MLLP with anything in it: nothing else begins so */
    {DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP, "###-", 4}, /* the banner of an SMTP or FTP server */
    {DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP, "### ", 4},
    {DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP, "* OK", 4}, /* IMAP */
    {DICOMNET_ERROR_PEER_SPEAKS_MAIL_OR_FTP, "+OK", 3},  /* POP3 */
    {DICOMNET_ERROR_PEER_SPEAKS_OTHER, "RFB ", 4},       /* VNC */
    {DICOMNET_ERROR_PEER_SPEAKS_OTHER, "\xFF\xFD", 2},   /* Telnet */
    {DICOMNET_ERROR_PEER_SPEAKS_OTHER, "\xFF\xFB", 2},
    {DICOMNET_ERROR_PEER_SPEAKS_OTHER, "-ERR", 4}, /* Redis, POP3 */
};

/* How many of the bytes fit; all of those that are there, or all of the beginning, is a match. */
static bool fits(const struct beginning *beginning, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && i < beginning->len; i++) {
        char wanted = beginning->text[i];
        if (wanted == '#' ? bytes[i] < '0' || bytes[i] > '9' : bytes[i] != (uint8_t)wanted)
            return false;
    }
    return true;
}

int foreign_protocol(const uint8_t *bytes, size_t len, int error)
{
    bool may_become = false;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (!fits(&beginnings[i], bytes, len))
            continue;
        if (len >= beginnings[i].len)
            return beginnings[i].error;
        may_become = true;
    }
    if (may_become && len < LEN_ENOUGH)
        return 0;
    /* What no PDU begins with, and nothing else that is known: still somebody who does not speak DICOM. */
    return error == DICOMNET_ERROR_PDU_UNKNOWN ? DICOMNET_ERROR_PEER_SPEAKS_OTHER : error;
}
