// Tells the thread sanitizer what `Mutex` does when threads compete for it.
//
// The Swift library is not built with the sanitizer, which therefore does not see the slow paths of
// `Mutex` and takes what they guard for races. This library stands before it and adds the two calls.
// Races that are none of a `Mutex` are still found. For example:
//
//     swift build --build-tests --sanitize=thread
//     clang -shared -fPIC -o mutex.so Tests/ThreadSanitizer/mutex.c
//     LD_PRELOAD=$PWD/mutex.so TSAN_OPTIONS=halt_on_error=1 .build/debug/swift-multiprocessingPackageTests.xctest \
//         --testing-library swift-testing --filter 'SchedulerTests|FutureTests'

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

// Absent in processes that are not built with the sanitizer.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define SWIFT_CALL __attribute__((swiftcall))
#define SWIFT_SELF __attribute__((swift_context)) void *self

// Synchronization._MutexHandle._lockSlow(UInt32) and _unlockSlow().
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef void LockSlow(uint32_t, SWIFT_SELF) SWIFT_CALL;
typedef void UnlockSlow(SWIFT_SELF) SWIFT_CALL;

SWIFT_CALL void mp_lock_slow(uint32_t thread, SWIFT_SELF) __asm__(LOCK_SLOW);
SWIFT_CALL void mp_unlock_slow(SWIFT_SELF) __asm__(UNLOCK_SLOW);

SWIFT_CALL void mp_lock_slow(uint32_t thread, SWIFT_SELF) {
    LockSlow *original = (LockSlow *)dlsym(RTLD_NEXT, LOCK_SLOW);
    original(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT_CALL void mp_unlock_slow(SWIFT_SELF) {
    UnlockSlow *original = (UnlockSlow *)dlsym(RTLD_NEXT, UNLOCK_SLOW);
    if (__tsan_release) __tsan_release(self);
    original(self);
}
