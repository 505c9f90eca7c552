#ifndef MP_STACK_H
#define MP_STACK_H

#include <stdint.h>

/// The address below which the calling thread's stack is not to be used by what can recurse at will.
///
/// What lies between it and the end of the stack is left to whatever is called there. The bounds of a stack are
/// looked up once for each thread. On a stack that is not the thread's own, a part of what is unknown is granted.
///
/// C because of _GNU_SOURCE, and because Swift has no variables of threads.
uintptr_t mp_stack_limit(void);

/// The address of the caller's frame, or of one right below it.
///
/// C because Swift has no way to ask for it.
static inline uintptr_t mp_stack_position(void) {
    return (uintptr_t)__builtin_frame_address(0);
}

#endif
