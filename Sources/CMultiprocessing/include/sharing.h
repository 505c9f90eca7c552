#ifndef MP_SHARING_H
#define MP_SHARING_H

#include <stdbool.h>
#include <stdint.h>

// What processes share is waited for in words of 32 bits (sharing.c).

/// The number of this process within its tree; 0 before it has joined one, and again in a process forked off it.
///
/// C because a handler runs at a fork where no Swift code may, and because every lock reads it.
extern uint32_t mp_life_number;

static inline uint32_t mp_get_life_number(void) {
    return __atomic_load_n(&mp_life_number, __ATOMIC_RELAXED);
}

static inline void mp_set_life_number(uint32_t number) {
    __atomic_store_n(&mp_life_number, number, __ATOMIC_RELAXED);
}

/// Takes the lock at `word` if nobody has it and nothing is noted there.
static inline bool mp_lock_take(void *word) {
    uint32_t number = mp_get_life_number(), none = 0;
    return number != 0 && __atomic_compare_exchange_n((uint32_t *)word, &none, number, false, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED);
}

/// Lets the lock at `word` go if this process has it and nothing else is noted there.
static inline bool mp_lock_leave(void *word) {
    uint32_t number = mp_get_life_number();
    return number != 0 && __atomic_compare_exchange_n((uint32_t *)word, &number, 0, false, __ATOMIC_RELEASE,
                                                      __ATOMIC_RELAXED);
}

/// A word in shared memory and the value it is expected to have; as the kernel lays out `struct futex_waitv`.
typedef struct {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} mp_waiter;

/// `flags` of a word of 32 bits that processes share (FUTEX_32 without FUTEX_PRIVATE_FLAG).
#define MP_WAIT_SHARED 2

/// Sleeps while every word has its value, until `deadline_ns` of CLOCK_MONOTONIC (below zero: no limit).
///
/// Returns which word was woken, or -1 with errno (EAGAIN: one had another value, ETIMEDOUT, EINTR; ENOSYS before
/// Linux 5.16, EPERM under some filters of system calls). C because `syscall` is variadic.
int mp_futex_wait_any(const mp_waiter *waiters, uint32_t count, int64_t deadline_ns);

/// Locks one byte of a file for this open file description (F_OFD_SETLK); -1 with errno.
///
/// C because of _GNU_SOURCE.
int mp_lock_byte(int descriptor, int64_t offset);

/// Whether another open file description has the byte locked: 1, 0, or -1 with errno. C because of _GNU_SOURCE.
int mp_is_byte_locked(int descriptor, int64_t offset);

#endif
