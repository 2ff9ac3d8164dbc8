/*
 * foreign - who speaks there, if it is not DICOM: a TLS, web, SSH, HL7, mail or file server (or such a client) is known
 * by the first bytes it sends. Bytes in, verdict out.
 */
#ifndef WIRE_FOREIGN_H
#define WIRE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Look at the first `len` bytes of a connection, of which dicomnet_pdu_read has said that they are no PDU. Returns one
 * of ERROR_PEER_..., which names the protocol; 0 if more bytes are needed to tell (never for 8 or more); or `error`,
 * what dicomnet_pdu_read said, if nothing is known that begins so.
 */
int foreign_protocol(const uint8_t *bytes, size_t len, int error);

#endif
