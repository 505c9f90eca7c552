#ifndef MP_MEMORY_H
#define MP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Memory that grows where it is if it can, which Swift has no name for. Each is the C library's own function; they
// stand here so that what codes values needs no other module.

/// `malloc`.
static inline void *mp_allocate(size_t size) { return malloc(size); }

/// `realloc`.
static inline void *mp_reallocate(void *memory, size_t size) { return realloc(memory, size); }

/// `free`.
static inline void mp_free(void *memory) { free(memory); }

/// Whether `size` bytes are the same at both addresses.
static inline bool mp_are_equal(const void *first, const void *second, size_t size) {
    return memcmp(first, second, size) == 0;
}

#endif
