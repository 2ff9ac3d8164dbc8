/* line - see line.h. */
#include "net/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "dicomnet/association.h"
#include "net/address.h"

bool line_asks(const struct dicomnet_association_line *line)
{
    return line->buffer_bytes > 0 || line->traffic_class > 0;
}

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

/* A socket of both families sends packets of either. */
static int set_class(int fd, int family, int traffic_class)
{
    int error = family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_TCLASS, traffic_class) : 0;
    return error != 0 ? error : set(fd, IPPROTO_IP, IP_TOS, traffic_class);
}

int line_prepare(const uv_tcp_t *socket, const struct dicomnet_association_line *line)
{
    uv_os_fd_t fd;
    union address own;
    socklen_t len = sizeof own;
    int error = uv_fileno((const uv_handle_t *)socket, &fd);
    if (error == 0 && getsockname(fd, &own.any, &len) != 0)
        error = -errno;
    if (error == 0 && line->traffic_class > 0)
        error = set_class(fd, own.any.sa_family, line->traffic_class);
    if (error == 0 && line->buffer_bytes > 0)
        error = set(fd, SOL_SOCKET, SO_SNDBUF, (int)line->buffer_bytes);
    if (error == 0 && line->buffer_bytes > 0)
        error = set(fd, SOL_SOCKET, SO_RCVBUF, (int)line->buffer_bytes);
    return error;
}

void line_keep_alive(uv_tcp_t *socket, const struct dicomnet_association_line *line)
{
    uint32_t idle_s = line->keepalive_s != 0 ? line->keepalive_s : DICOMNET_ASSOCIATION_KEEPALIVE_DEFAULT_S;
    bool on = idle_s != DICOMNET_ASSOCIATION_KEEPALIVE_OFF;
    (void)uv_tcp_keepalive(socket, on, on ? idle_s : 0);
}
