#ifndef MP_QUEUE_H
#define MP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

// Atomics in one order for all threads and processes: who publishes and then looks whether somebody sleeps, and who
// says that it sleeps and then looks for what was published, must not both miss the other. C, because the atomics of
// Swift's Synchronization module own their storage.

static inline uint64_t mp_load_ordered_u64(const void *address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_SEQ_CST);
}

static inline uint32_t mp_load_ordered_u32(const void *address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_SEQ_CST);
}

static inline void mp_store_ordered_u64(void *address, uint64_t value) {
    __atomic_store_n((uint64_t *)address, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t mp_exchange_ordered_u32(void *address, uint32_t value) {
    return __atomic_exchange_n((uint32_t *)address, value, __ATOMIC_SEQ_CST);
}

static inline bool mp_cas_ordered_u64(void *address, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n((uint64_t *)address, expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static inline uint64_t mp_add_ordered_u64(void *address, uint64_t value) {
    return __atomic_fetch_add((uint64_t *)address, value, __ATOMIC_SEQ_CST);
}

#endif
