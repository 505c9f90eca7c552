// What tools for developers have put into this program: code coverage and testing libraries.

#include "CMultiprocessing.h"

#include <stddef.h>

// Of LLVM's profile runtime, which is linked into programs that are built for code coverage.
extern int __llvm_profile_write_file(void) __attribute__((weak));

// Defined in Swift, in the module Multiprocessing, with Swift's calling convention. Only its address
// is taken here.
extern void mp_test_failure_recorded(void) __attribute__((weak));

void mp_write_profile(void) {
    if (__llvm_profile_write_file != NULL) {
        __llvm_profile_write_file();
    }
}

const void *mp_test_failure_recorder(void) {
    return (const void *)mp_test_failure_recorded;
}
