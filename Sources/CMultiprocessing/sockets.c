// Descriptors that travel with bytes over Unix sockets.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// What the kernel takes in one message (SCM_MAX_FD).
_Static_assert(MP_DESCRIPTORS_PER_MESSAGE == 253, "the kernel's limit");

int mp_poll(void *entries, size_t count, int64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    return ppoll(entries, count, timeout_ns < 0 ? NULL : &timeout, NULL);
}

ssize_t mp_send_descriptors(int socket, const void *buffers, size_t buffer_count,
                            const int *descriptors, size_t descriptor_count, int flags) {
    if (descriptor_count > MP_DESCRIPTORS_PER_MESSAGE) {
        errno = EINVAL;
        return -1;
    }
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MP_DESCRIPTORS_PER_MESSAGE * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = (struct iovec *)buffers, .msg_iovlen = buffer_count};
    if (descriptor_count > 0) {
        size_t size = descriptor_count * sizeof(int);
        memset(&control, 0, CMSG_SPACE(size));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t mp_receive_descriptors(int socket, void *buffer, size_t size, int *descriptors,
                               size_t *descriptor_count, uint32_t *truncation, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MP_DESCRIPTORS_PER_MESSAGE * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    *descriptor_count = 0;
    *truncation = 0;
    ssize_t count = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (count < 0) {
        return count;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t length = header->cmsg_len - CMSG_LEN(0);
        memcpy(descriptors + *descriptor_count, CMSG_DATA(header), length);
        *descriptor_count += length / sizeof(int);
    }
    *truncation = ((message.msg_flags & MSG_CTRUNC) != 0 ? MP_LOST_DESCRIPTORS : 0) |
                  ((message.msg_flags & MSG_TRUNC) != 0 ? MP_LOST_BYTES : 0);
    return count;
}

int mp_socket_to_itself(void) {
    int number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) {
        return -1;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(address);
    // Bound to an address that the kernel chooses; connected, it takes messages from nobody else.
    if (bind(number, (struct sockaddr *)&address, sizeof(sa_family_t)) != 0 ||
        getsockname(number, (struct sockaddr *)&address, &size) != 0 ||
        connect(number, (struct sockaddr *)&address, size) != 0) {
        int error = errno;
        close(number);
        errno = error;
        return -1;
    }
    return number;
}

int mp_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC); }

int64_t mp_peer_user(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    return peer.uid;
}
