/*
 * line - how the system carries a connection: struct dicomnet_association_line put onto sockets.
 */
#ifndef NET_LINE_H
#define NET_LINE_H

#include <stdbool.h>
#include <uv.h>

#include "dicomnet/error.h"

struct dicomnet_association_line;

/* True if there is something that has to be said before a socket connects or listens. */
bool line_asks(const struct dicomnet_association_line *line);

/*
 * Say it: traffic class and buffers. The window that TCP can scale to is agreed on when a connection is made, so a
 * buffer comes before that; what is accepted at a listening socket has what that has. 0 or a negative errno.
 */
int line_prepare(const uv_tcp_t *socket, const struct dicomnet_association_line *line) DICOMNET_MUST_CHECK;

/* Of a connection. */
void line_keep_alive(uv_tcp_t *socket, const struct dicomnet_association_line *line);

#endif
