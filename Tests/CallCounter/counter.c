// Stands in for functions of the C library in the program that links it, counts, and goes on to
// the real ones. Only for programs that count: a sanitizer has to stand in for some of them itself.
#define _GNU_SOURCE
#include "CallCounter.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <poll.h>
#include <unistd.h>

static atomic_ulong own_system_calls;
static atomic_ulong *system_calls = &own_system_calls;
static __thread unsigned long allocations;

unsigned long call_counter_allocations(void) { return allocations; }

unsigned long call_counter_system_calls(void) {
    return atomic_load_explicit(system_calls, memory_order_relaxed);
}

// The descriptor's number, under which the shared counter can be opened.
static const char variable[] = "CALL_COUNTER_FILE";

static int attach(const char *path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return errno;
    void *memory = mmap(NULL, sizeof(atomic_ulong), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int code = memory == MAP_FAILED ? errno : 0;
    close(file);
    if (code == 0) system_calls = memory;
    return code;
}

int call_counter_share(void) {
    // Reached through the maker, which outlives those that it starts.
    int file = memfd_create("call-counter", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, sizeof(atomic_ulong)) != 0) return errno;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), file);
    if (setenv(variable, path, 1) != 0) return errno;
    return attach(path);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv(variable);
    if (path && attach(path) != 0) abort();
}

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
// Nothing is counted.
#else

static void note(void) { atomic_fetch_add_explicit(system_calls, 1, memory_order_relaxed); }

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    REAL(sendmsg);
    note();
    return real(socket, message, flags);
}

ssize_t recv(int socket, void *buffer, size_t size, int flags) {
    REAL(recv);
    note();
    return real(socket, buffer, size, flags);
}

ssize_t read(int file, void *buffer, size_t size) {
    REAL(read);
    note();
    return real(file, buffer, size);
}

ssize_t write(int file, const void *buffer, size_t size) {
    REAL(write);
    note();
    return real(file, buffer, size);
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout) {
    REAL(poll);
    note();
    return real(descriptors, count, timeout);
}

int epoll_wait(int poller, struct epoll_event *events, int count, int timeout) {
    REAL(epoll_wait);
    note();
    return real(poller, events, count, timeout);
}

int epoll_ctl(int poller, int operation, int file, struct epoll_event *event) {
    REAL(epoll_ctl);
    note();
    return real(poller, operation, file, event);
}

// Futexes above all.
long syscall(long number, ...) {
    REAL(syscall);
    long arguments[6];
    va_list list;
    va_start(list, number);
    for (int index = 0; index < 6; index++) arguments[index] = va_arg(list, long);
    va_end(list);
    note();
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

// These cannot look for the real ones, which may allocate to be found.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations++;
    return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

#endif
