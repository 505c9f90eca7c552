// What becomes of a pool in a process that was forked off its program and goes on; the header
// says why this is C.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

// More than a process may have by default, and only what is touched costs memory.
enum { descriptor_limit = 1 << 20, word_bits = 64 };

// Changed by the only thread of a new process, before anything else runs in it.
static uint32_t fork_count;

// One bit for each descriptor that must not be held open by a forked process.
static _Atomic uint64_t own_descriptors[descriptor_limit / word_bits];

// How many words of those have ever been in use.
static _Atomic int own_word_count;

// Runs between `fork` and its return: makes system calls and touches its own memory only.
static void forked(void) {
    fork_count++;
    // What its parent holds is not its own.
    mp_set_life_number(0);
    int nothing = -1;
    for (int word = 0; word < atomic_load_explicit(&own_word_count, memory_order_relaxed); word++) {
        uint64_t bits = atomic_load_explicit(&own_descriptors[word], memory_order_relaxed);
        for (; bits != 0; bits &= bits - 1) {
            int descriptor = word * word_bits + __builtin_ctzll(bits);
            if (nothing < 0) {
                nothing = eventfd(0, EFD_CLOEXEC);
            }
            // Not closed: the owner, a copy of an object of the parent, closes the number itself.
            if (nothing >= 0) {
                dup3(nothing, descriptor, O_CLOEXEC);
            }
        }
    }
    if (nothing >= 0) {
        close(nothing);
    }
}

int mp_watch_forks(void) {
    return pthread_atfork(NULL, NULL, forked);
}

uint32_t mp_fork_count(void) {
    return fork_count;
}

void mp_keep_from_forks(int descriptor) {
    if (descriptor < 0 || descriptor >= descriptor_limit) {
        return;
    }
    int word = descriptor / word_bits;
    int count = atomic_load_explicit(&own_word_count, memory_order_relaxed);
    while (count <= word && !atomic_compare_exchange_weak(&own_word_count, &count, word + 1)) {
    }
    atomic_fetch_or(&own_descriptors[word], UINT64_C(1) << descriptor % word_bits);
}

void mp_leave_to_forks(int descriptor) {
    if (descriptor < 0 || descriptor >= descriptor_limit) {
        return;
    }
    atomic_fetch_and(&own_descriptors[descriptor / word_bits], ~(UINT64_C(1) << descriptor % word_bits));
}
