// The entry of a worker process, which is this executable started a second time.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void (*mp_initializer)(int, char **, char **);

// Serves work until the socket ends, and leaves by _exit. Defined in Swift, in the module
// Multiprocessing; weak, so that an executable with the system layer alone still links.
extern _Noreturn void mp_worker_main(int32_t descriptor) __attribute__((weak));

// Defined by the linker around the executable's `.init_array`; absent in a shared library.
extern const mp_initializer __init_array_start[] __attribute__((weak, visibility("hidden")));
extern const mp_initializer __init_array_end[] __attribute__((weak, visibility("hidden")));

// Private to libdispatch, exported for run loops: `CFRunLoop` is built on the same two.
extern int _dispatch_get_main_queue_handle_4CF(void) __attribute__((weak));
extern void _dispatch_main_queue_callback_4CF(void *) __attribute__((weak));

// A number and nothing else: no sign, no space, no trailing text. Returns -1 otherwise.
static int mp_parse_descriptor(const char *text) {
    int value = 0;
    if (*text == '\0' || strlen(text) > 9) {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        value = value * 10 + (*text - '0');
    }
    return value;
}

static bool mp_is_stream_socket(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    int domain = 0, type = 0;
    socklen_t length = sizeof domain;
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX) {
        return false;
    }
    length = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

// C because only a constructor runs before a `main` that belongs to someone else (a test
// runner, a program's author), and Swift has no constructors. glibc passes the arguments.
//
// In every process that is not a worker this is one look-up in the environment.
__attribute__((constructor)) static void mp_worker_entry(int argc, char **argv, char **envp) {
    // secure_: a set-user-ID program takes no orders from its caller's environment.
    const char *text = secure_getenv(MP_WORKER_VARIABLE);
    if (text == NULL) {
        return;
    }
    int descriptor = mp_parse_descriptor(text);
    // Before anything else, so that no program that this process starts is taken for a worker.
    unsetenv(MP_WORKER_VARIABLE);
    if (descriptor < 0 || !mp_is_stream_socket(descriptor)) {
        return;
    }

    // This function never returns, so the initializers that stand behind it in the array
    // would never run. With a static standard library libdispatch's is one of them, and
    // without it the first task hangs forever. In a shared library the bounds are absent or
    // another image's, the entry is not found, and there is nothing to run.
    const mp_initializer *entry = __init_array_start;
    const mp_initializer *end = __init_array_end;
    if (entry != NULL && end != NULL) {
        while (entry < end && *entry != mp_worker_entry) {
            entry++;
        }
        for (entry = entry < end ? entry + 1 : end; entry < end; entry++) {
            // 0 and -1 are the placeholders that old toolchains leave in the array.
            if ((uintptr_t)*entry + 1 > 1) {
                (*entry)(argc, argv, envp);
            }
        }
    }

    if (mp_worker_main == NULL) {
        _exit(MP_EXIT_NO_WORKER_MAIN);
    }
    mp_worker_main(descriptor);
}

int mp_main_queue_handle(void) {
    return _dispatch_get_main_queue_handle_4CF != NULL ? _dispatch_get_main_queue_handle_4CF() : -1;
}

void mp_drain_main_queue(void) {
    if (_dispatch_main_queue_callback_4CF != NULL) {
        _dispatch_main_queue_callback_4CF(NULL);
    }
}
