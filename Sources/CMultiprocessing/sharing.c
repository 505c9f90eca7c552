// Waiting for words in shared memory, and locks that end with their process; the header says why for each.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The same on every architecture; older headers lack it.
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

uint32_t mp_life_number;

int mp_futex_wait_any(const mp_waiter *waiters, uint32_t count, int64_t deadline_ns) {
    struct timespec deadline = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    return (int)syscall(SYS_futex_waitv, waiters, count, 0, deadline_ns < 0 ? NULL : &deadline, CLOCK_MONOTONIC);
}

static struct flock mp_byte(int64_t offset) {
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
}

int mp_lock_byte(int descriptor, int64_t offset) {
    struct flock byte = mp_byte(offset);
    return fcntl(descriptor, F_OFD_SETLK, &byte);
}

int mp_is_byte_locked(int descriptor, int64_t offset) {
    struct flock byte = mp_byte(offset);
    if (fcntl(descriptor, F_OFD_GETLK, &byte) != 0) {
        return -1;
    }
    return byte.l_type != F_UNLCK;
}
