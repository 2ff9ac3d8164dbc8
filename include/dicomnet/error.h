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

/* One line a code: name, value, text for a person. */
#define DICOMNET_ERRORS(X)                                                                                             \
    X(ERROR_PDU_UNKNOWN, -20001, "the peer sent a PDU of an unknown type")                                             \
    X(ERROR_PDU_UNEXPECTED, -20002, "the peer sent a PDU that does not belong here")                                   \
    X(ERROR_PDU_MALFORMED, -20003, "the peer sent a PDU whose lengths or values do not fit")                           \
    X(ERROR_PDU_TOO_LONG, -20004, "the peer sent a PDU longer than allowed")                                           \
    X(ERROR_DIMSE_MALFORMED, -20005, "the peer sent a DIMSE command set that cannot be read")                          \
    X(ERROR_DIMSE_UNEXPECTED, -20006, "the peer sent a DIMSE message that does not belong here")                       \
    X(ERROR_RESPONSE_MISMATCH, -20007, "the peer's response matches no request that is waiting")                       \
    X(ERROR_BUFFER_TOO_SMALL, -20008, "the buffer is too small")                                                       \
    X(ERROR_HOST_UNKNOWN, -20009, "the host name cannot be resolved")                                                  \
    X(ERROR_PEER_CLOSED, -20010, "the peer closed the connection")                                                     \
    X(ERROR_TIMEOUT_CONNECT, -20011, "no TCP connection within the connect timeout")                                   \
    X(ERROR_TIMEOUT_ACSE, -20012, "no association was agreed within the ACSE timeout")                                 \
    X(ERROR_TIMEOUT_DIMSE, -20013, "no response within the DIMSE timeout")                                             \
    X(ERROR_TIMEOUT_NETWORK, -20014, "the peer did not get on with a PDU within the network timeout")                  \
    X(ERROR_TIMEOUT_RELEASE, -20015, "no answer to the release request in time")                                       \
    X(ERROR_REJECTED, -20016, "the peer rejected the association")                                                     \
    X(ERROR_ABORTED, -20017, "the peer aborted the association")                                                       \
    X(ERROR_ABORTED_LOCALLY, -20018, "the association was aborted on this side")                                       \
    X(ERROR_PEER_UNUSABLE, -20019, "the peer's maximum PDU length leaves no room for data")                            \
    X(ERROR_SOURCE_SHORT, -20020, "the data set ended before its announced length")                                    \
    X(ERROR_NO_CONTEXT, -20021, "no accepted presentation context fits")                                               \
    X(ERROR_BUSY, -20022, "a message is already being sent")                                                           \
    X(ERROR_NOT_OPEN, -20023, "the association is not open")                                                           \
    X(ERROR_RELEASED, -20024, "the peer released the association")                                                     \
    X(ERROR_LOOKUP_FAILED, -20025, "the host name could not be looked up just now")                                    \
    X(ERROR_IDENTIFIER_MALFORMED, -20026, "the identifier cannot be read: its lengths do not fit")                     \
    X(ERROR_IDENTIFIER_TOO_DEEP, -20027, "the identifier's sequences are nested too deep")                             \
    X(ERROR_IDENTIFIER_TOO_LONG, -20028, "the identifier is too long")                                                 \
    X(ERROR_IDENTIFIER_VALUE, -20029, "that text is no value of the element's VR")                                     \
    X(ERROR_IDENTIFIER_SYNTAX, -20030, "an identifier is not written in that transfer syntax")                         \
    X(ERROR_SOURCE_CHANGED, -20031, "the file is no longer as it was scanned")                                         \
    X(ERROR_PEER_SPEAKS_TLS, -20032, "the peer speaks TLS, not plain DICOM: wrong port, or TLS on one side only")      \
    X(ERROR_PEER_SPEAKS_HTTP, -20033, "the peer speaks HTTP, not DICOM: that is the port of a web server or browser")  \
    X(ERROR_PEER_SPEAKS_SSH, -20034, "the peer speaks SSH, not DICOM: wrong port")                                     \
    X(ERROR_PEER_SPEAKS_HL7, -20035, "the peer speaks HL7 (MLLP), not DICOM: wrong port")                              \
    X(ERROR_PEER_SPEAKS_MAIL_OR_FTP, -20036, "the peer speaks FTP or a mail protocol, not DICOM: wrong port")          \
    X(ERROR_PEER_SPEAKS_OTHER, -20037, "the peer does not speak DICOM: what it sent is no PDU; wrong port?")           \
    X(ERROR_TIMEOUT_IDLE, -20040, "nothing was asked for within the idle timeout")                                     \
    X(ERROR_STALLED, -20050, "the peer keeps talking, and nothing new has come within the stall timeout")              \
    X(ERROR_UNASKED, -20051, "the peer keeps sending what was not asked for")

enum dicomnet_error {
#define X(name, value, text) name = (value),
    DICOMNET_ERRORS(X)
#undef X
};

/*
 * The text of a code of ours, of a negative errno, or "unknown error". The string is static for our codes and for
 * errno values (those of strerrordesc_np); never NULL.
 */
const char *error_text(int error);

/* The name of a code ("ERROR_PDU_MALFORMED", "ECONNREFUSED"), for logs; never NULL. */
const char *error_name(int error);

/* True for ERROR_PEER_SPEAKS_...: whoever answers there, trying again will not make it DICOM. */
bool error_is_foreign(int error);

/* Marks a function whose return value must be looked at. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
