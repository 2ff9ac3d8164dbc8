/*
 * address - an address of this network: an IP address of either family with a port, from text and back.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

/* any.sa_family is AF_UNSPEC while it is none. */
union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

enum { ADDRESS_TEXT_SIZE = 80 /* "[fe80::1%enp0s31f6]:104", and the longest of its kind */ };

/*
 * Read a numeric address, IPv4 or IPv6 without brackets; of IPv6 with its zone, if it has one, by name or number
 * ("fe80::1%eth0", RFC 4007). 0, or UV_EINVAL, also for a zone that this machine does not have.
 */
int address_parse(const char *text, uint16_t port, union address *ret_address) DICOMNET_MUST_CHECK;

/*
 * What is wrong with a text that is meant to be an address, for a person; NULL if nothing is. One that is link-local
 * without a zone says too little: it may be on any line that this machine is on.
 */
const char *address_problem(const char *text);

/* Copy an address of a family that the union has, or none. */
void address_copy(union address *address, const struct sockaddr *from);

/*
 * The addresses of a host, which may be an address itself; blocking, for when a program starts. Returns how many there
 * are, `max` at most; 0 if it is not known.
 */
size_t address_look_up(const char *host, union address *ret_addresses, size_t max);

uint16_t address_port(const union address *address);
void address_set_port(union address *address, uint16_t port);

/* True for 0.0.0.0 and ::, which mean all addresses of this machine. */
bool address_is_any(const union address *address);

/*
 * "192.0.2.1:104", "[2001:db8::1]:104", with its zone if it has one. An IPv4 address inside IPv6 (::ffff:192.0.2.1), as
 * a socket for both families gives it, is written as what it is. address_host is the same without port and brackets.
 */
void address_text(const union address *address, char *ret_text, size_t size);
void address_host(const union address *address, char *ret_text, size_t size);

#endif
