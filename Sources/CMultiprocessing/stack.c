#define _GNU_SOURCE
#include "stack.h"

#include <pthread.h>
#include <stdbool.h>

enum {
    // What frames between two looks at the stack can take, the user's own and those of an error among them.
    reserve = 128 << 10,
    // How much of a stack of unknown size is granted, which is less than any that threads are given.
    grant = 96 << 10,
    // No more is used of a stack without a limit: what nests without an end would take all memory.
    most = 64 << 20,
};

typedef struct {
    uintptr_t lowest;
    uintptr_t highest;
    bool is_measured;
} stack_bounds;

static _Thread_local stack_bounds bounds;

static void measure(void) {
    bounds.is_measured = true;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return;
    }
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_attr_getstack(&attributes, &lowest, &size) == 0) {
        bounds.lowest = (uintptr_t)lowest;
        bounds.highest = (uintptr_t)lowest + size;
    }
    pthread_attr_destroy(&attributes);
}

uintptr_t mp_stack_limit(void) {
    if (!bounds.is_measured) {
        measure();
    }
    const uintptr_t position = mp_stack_position();
    if (position < bounds.lowest || position >= bounds.highest) {
        return position > grant ? position - grant : 0;
    }
    const uintptr_t half = (bounds.highest - bounds.lowest) / 2;
    const uintptr_t limit = bounds.lowest + (half < reserve ? half : reserve);
    return position - limit > most && position > limit ? position - most : limit;
}
