/*
 * error - what a function returns when an operation failed.
 *
 * Three kinds of trouble are never mixed in this library:
 *   - a bug of ours stops at an assert();
 *   - an operation that failed returns a negative int from this list, or a negative errno as libuv gives it
 *     (-ENOENT, UV_ECONNREFUSED, ...): the two ranges do not meet;
 *   - what the peer answered is data (a status, a reject reason), never an error code.
 *
 * Decoders answer three ways: a positive number of bytes consumed, 0 for "need more bytes", or one of these.
 */
#ifndef DICOMNET_ERROR_H
#define DICOMNET_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One line a code: its name behind DICOMNET_ERROR_, value, text for a person. */
#define DICOMNET_ERRORS(X)                                                                                             \
    X(PDU_UNKNOWN, -20001, "the peer sent a PDU of an unknown type")                                                   \
    X(PDU_UNEXPECTED, -20002, "the peer sent a PDU that does not belong here")                                         \
    X(PDU_MALFORMED, -20003, "the peer sent a PDU whose lengths or values do not fit")                                 \
    X(PDU_TOO_LONG, -20004, "the peer sent a PDU longer than allowed")                                                 \
    X(DIMSE_MALFORMED, -20005, "the peer sent a DIMSE command set that cannot be read")                                \
    X(DIMSE_UNEXPECTED, -20006, "the peer sent a DIMSE message that does not belong here")                             \
    X(RESPONSE_MISMATCH, -20007, "the peer's response matches no request that is waiting")                             \
    X(BUFFER_TOO_SMALL, -20008, "the buffer is too small")                                                             \
    X(HOST_UNKNOWN, -20009, "the host name cannot be resolved")                                                        \
    X(PEER_CLOSED, -20010, "the peer closed the connection")                                                           \
    X(TIMEOUT_CONNECT, -20011, "no TCP connection within the connect timeout")                                         \
    X(TIMEOUT_ACSE, -20012, "no association was agreed within the ACSE timeout")                                       \
    X(TIMEOUT_DIMSE, -20013, "no response within the DIMSE timeout")                                                   \
    X(TIMEOUT_NETWORK, -20014, "the peer did not get on with a PDU within the network timeout")                        \
    X(TIMEOUT_RELEASE, -20015, "no answer to the release request in time")                                             \
    X(REJECTED, -20016, "the peer rejected the association")                                                           \
    X(ABORTED, -20017, "the peer aborted the association")                                                             \
    X(ABORTED_LOCALLY, -20018, "the association was aborted on this side")                                             \
    X(PEER_UNUSABLE, -20019, "the peer's maximum PDU length leaves no room for data")                                  \
    X(SOURCE_SHORT, -20020, "the data set ended before its announced length")                                          \
    X(NO_CONTEXT, -20021, "no accepted presentation context fits")                                                     \
    X(BUSY, -20022, "a message is already being sent")                                                                 \
    X(NOT_OPEN, -20023, "the association is not open")                                                                 \
    X(RELEASED, -20024, "the peer released the association")                                                           \
    X(LOOKUP_FAILED, -20025, "the host name could not be looked up just now")                                          \
    X(IDENTIFIER_MALFORMED, -20026, "the identifier cannot be read: its lengths do not fit")                           \
    X(IDENTIFIER_TOO_DEEP, -20027, "the identifier's sequences are nested too deep")                                   \
    X(IDENTIFIER_TOO_LONG, -20028, "the identifier is too long")                                                       \
    X(IDENTIFIER_VALUE, -20029, "that text is no value of the element's VR")                                           \
    X(IDENTIFIER_SYNTAX, -20030, "an identifier is not written in that transfer syntax")                               \
    X(SOURCE_CHANGED, -20031, "the file is no longer as it was scanned")                                               \
    X(SOURCE_UNDECODABLE, -20038, "the data set cannot be converted to that transfer syntax")                          \
    X(PEER_SPEAKS_TLS, -20032, "the peer speaks TLS, not plain DICOM: wrong port, or TLS on one side only")            \
    X(PEER_SPEAKS_HTTP, -20033, "the peer speaks HTTP, not DICOM: that is the port of a web server or browser")        \
    X(PEER_SPEAKS_SSH, -20034, "the peer speaks SSH, not DICOM: wrong port")                                           \
    X(PEER_SPEAKS_HL7, -20035, "the peer speaks HL7 (MLLP), not DICOM: wrong port")                                    \
    X(PEER_SPEAKS_MAIL_OR_FTP, -20036, "the peer speaks FTP or a mail protocol, not DICOM: wrong port")                \
    X(PEER_SPEAKS_OTHER, -20037, "the peer does not speak DICOM: what it sent is no PDU; wrong port?")                 \
    X(PEER_SPEAKS_CLEAR, -20039, "the peer speaks DICOM in clear, not TLS: wrong port, or TLS on one side only")       \
    X(TIMEOUT_IDLE, -20040, "nothing was asked for within the idle timeout")                                           \
    X(TIMEOUT_LOOKUP, -20041, "the host name was not looked up within the connect timeout")                            \
    X(STALLED, -20050, "the peer keeps talking, and nothing new has come within the stall timeout")                    \
    X(UNASKED, -20051, "the peer keeps sending what was not asked for")                                                \
    X(OPTIONS_SIZE, -20060, "the options have no size of theirs (begin with their INIT), or set what is unknown here") \
    X(AE_TITLE, -20061, "an AE title is empty, has more than 16 characters, or has some that it may not have")         \
    X(PROPOSAL, -20062, "a proposed presentation context lacks its abstract syntax or has no transfer syntax")         \
    X(TLS_OPTIONS, -20070, "the options of TLS cannot be used")                                                        \
    X(TLS_FAILED, -20071, "the TLS connection failed")                                                                 \
    X(TLS_CLOSED, -20072, "the peer closed the connection during the TLS handshake")                                   \
    X(TLS_NOTHING_COMMON, -20073, "the peer and this side have no TLS version or cipher suite in common")              \
    X(TLS_UNTRUSTED, -20074, "the peer's certificate comes from an issuer that is not trusted")                        \
    X(TLS_EXPIRED, -20075, "the peer's certificate, or one above it, has expired")                                     \
    X(TLS_NOT_YET_VALID, -20076, "the peer's certificate, or one above it, is not valid yet")                          \
    X(TLS_NAME, -20077, "the peer's certificate is made out to another name")                                          \
    X(TLS_PIN, -20078, "the peer's certificate is not the one that was pinned")                                        \
    X(TLS_CERTIFICATE, -20079, "the peer's certificate cannot be accepted")                                            \
    X(TLS_CERTIFICATE_WANTED, -20080, "the peer wants a certificate of this side")                                     \
    X(TLS_CERTIFICATE_REFUSED, -20081, "the peer does not accept the certificate of this side")                        \
    X(TLS_NO_CERTIFICATE, -20082, "the peer has no certificate, and one is required of it")                            \
    X(TIMEOUT_TLS, -20083, "a TCP connection, and no TLS handshake within the connect timeout")                        \
    X(IDENTITY_UNCONFIRMED, -20090, "the peer did not confirm the user identity, as it was asked to")

enum dicomnet_error {
#define DICOMNET_X_(name, value, text) DICOMNET_ERROR_##name = (value),
    DICOMNET_ERRORS(DICOMNET_X_)
#undef DICOMNET_X_
};

/*
 * The text of a code of ours, of a negative errno, "no error" of 0, or "unknown error". The string is static for our
 * codes and for errno values (those of strerrordesc_np); never NULL.
 */
const char *dicomnet_error_text(int error);

/* The name of a code as logs have it ("ERROR_PDU_MALFORMED", "ECONNREFUSED"); never NULL. */
const char *dicomnet_error_name(int error);

/* True for DICOMNET_ERROR_PEER_SPEAKS_...: whoever answers there, trying again will not make it DICOM. */
bool dicomnet_error_is_foreign(int error);

/*
 * True for what ends a TLS handshake because of how one of the two sides is set up: a certificate, a version, a cipher
 * suite. Trying again will not help.
 */
bool dicomnet_error_is_tls_setup(int error);

/* Marks a function whose return value must be looked at. */
#define DICOMNET_MUST_CHECK __attribute__((warn_unused_result))

#ifdef __cplusplus
}
#endif

#endif
