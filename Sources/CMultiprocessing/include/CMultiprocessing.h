// What Swift cannot say: the worker's entry, calls that glibc declares only under
// _GNU_SOURCE (the Swift importer does not define it), and atomics in shared memory.

#ifndef CMULTIPROCESSING_H
#define CMULTIPROCESSING_H

#if defined(__linux__) && defined(__x86_64__)
#include <features.h>
#endif

#ifndef __GLIBC__
#error "swift-multiprocessing is for Linux on x86-64 with glibc: it cannot be compiled for this system"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

#include "memory.h"
#include "portable.h"
#include "queue.h"
#include "sharing.h"

// MARK: Worker (worker.c)

/// The name of the environment variable that carries a worker's descriptor number.
///
/// C because the worker's entry reads it before any Swift code may run.
#define MP_WORKER_VARIABLE "MULTIPROCESSING_WORKER"

/// The exit code of a worker whose executable holds no `mp_worker_main` (EX_SOFTWARE).
#define MP_EXIT_NO_WORKER_MAIN 70

/// The exit code of a worker that has privileges its starter may lack (AT_SECURE).
#define MP_EXIT_PRIVILEGED 170

/// The exit code of a process that is marked as a worker and was given no socket.
#define MP_EXIT_NO_SOCKET 171

/// The exit code of a worker whose limits, cores or nice value could not be set.
#define MP_EXIT_SETTINGS 172

/// The descriptor that is readable while libdispatch's main queue has work, or -1.
///
/// C because the symbol is private to libdispatch and has to be a weak reference.
int mp_main_queue_handle(void);

/// Runs what is queued on libdispatch's main queue; call it on the main thread.
///
/// C because the symbol is private to libdispatch and has to be a weak reference.
void mp_drain_main_queue(void);

/// Names a worker process "program worker 3", or "program title" if it was given one, for `ps` and `top`.
///
/// What `ps` shows as its command line is overwritten where the kernel placed the arguments;
/// `program_arguments`, the list that the program reads them from, is made to point to a copy.
///
/// C because Swift has no way to where the arguments lie.
void mp_name_worker(long index, char **program_arguments);

/// Whether the program was started as an argument of the dynamic loader (`ld.so program`), which
/// `/proc/self/exe` then names.
///
/// C because the program headers are walked with the types and macros of <link.h>.
bool mp_is_run_by_loader(void);

// MARK: Template (template.c, inheritance.c)

/// The exit code of a template that cannot fork workers as they have to be.
#define MP_EXIT_NO_TEMPLATE 173

/// What the variable holds, instead of a number, in a template.
#define MP_TEMPLATE_MARK "template"

/// What the variable holds in a worker that does not know its work yet; see `mp_await_assignment`.
#define MP_SPARE_MARK "spare"

/// Waits, in a worker whose initializers have run, for what it was started for: its descriptors, and what its
/// variable would have held, which is returned. Ends the process if it is not needed.
///
/// C because the worker's entry calls it before any Swift code may run.
const char *mp_await_assignment(const char *program);

/// How many bytes of a worker's mark one request may have.
#define MP_TEMPLATE_REQUEST_LIMIT 4096

/// Whether this program can be a template: not with a sanitizer.
///
/// C because a template has to stop before any Swift code may run.
bool mp_has_template(void);

/// Writes down what a process that the calling thread starts would inherit and a template has had since its own start.
///
/// Returns how many bytes that are, or -1 with errno. C because most of it is asked for by calls that are variadic.
ssize_t mp_inheritance(char *buffer, size_t capacity);

// MARK: Forks (fork.c)

/// Begins to count forks; 0 or an errno value. C because a handler runs where no Swift code may.
int mp_watch_forks(void);

/// How many forks lie between the process that called `mp_watch_forks` and this one.
uint32_t mp_fork_count(void);

/// Has a process that is forked off let go of a descriptor's open file; the number stays taken.
///
/// Call it right after the number was given out, and `mp_leave_to_forks` before it is closed.
void mp_keep_from_forks(int descriptor);

/// Takes back `mp_keep_from_forks`.
void mp_leave_to_forks(int descriptor);

// MARK: Files (files.c)
//
// C for the targets beside System, which do not import Glibc.

/// Maps a file to be read; returns 0 or an errno value (ENODATA for an empty file).
int mp_map_file(const char *path, const void **start, size_t *size);

void mp_unmap_file(const void *start, size_t size);

/// What `strerror` says of an errno value.
const char *mp_error_text(int error);

/// A file's device, inode, size and time of change (seconds, nanoseconds).
bool mp_file_facts(const char *path, uint64_t facts[5]);

/// Which file is mapped at an address of this process, by the kernel's list of mappings; false if none is.
bool mp_mapped_file(const void *address, uint64_t *device, uint64_t *inode);

/// How many bytes lie before the first zero, at most `limit`.
static inline size_t mp_text_length(const char *text, size_t limit) {
    const void *end = limit == 0 ? 0 : __builtin_memchr(text, 0, limit);
    return end == 0 ? limit : (size_t)((const char *)end - text);
}

// MARK: Sockets (sockets.c)

/// How many descriptors go with one message (SCM_MAX_FD).
#define MP_DESCRIPTORS_PER_MESSAGE 253

/// The receiver had no room for all descriptors, in its table of them or in its list.
#define MP_LOST_DESCRIPTORS 1u

/// The message was longer than the buffer.
#define MP_LOST_BYTES 2u

/// A Unix datagram socket that is connected to itself, close-on-exec and without blocking; -1 with errno.
///
/// C because the address is a struct of its own kind of each family.
int mp_socket_to_itself(void);

/// `ppoll` with the signals as they are.
///
/// `entries` is a `struct pollfd *`; `timeout_ns` below zero means no limit. C because `ppoll` is not imported.
int mp_poll(void *entries, size_t count, int64_t timeout_ns);

/// Takes the next connection of a listening socket, close-on-exec; -1 with errno.
///
/// C because Swift does not see `accept4`.
int mp_accept(int socket);

/// The user of the process at the other end of a Unix socket; -1 with errno.
///
/// C because Swift does not see `struct ucred`.
int64_t mp_peer_user(int socket);

/// `sendmsg` with MSG_NOSIGNAL and descriptors (SCM_RIGHTS), which go with the first byte.
///
/// `buffers` is a `const struct iovec *`. Returns what `sendmsg` does. C because the CMSG macros are not imported.
ssize_t mp_send_descriptors(int socket, const void *buffers, size_t buffer_count,
                            const int *descriptors, size_t descriptor_count, int flags);

/// `recvmsg` that takes descriptors, close-on-exec, into a list of MP_DESCRIPTORS_PER_MESSAGE.
///
/// `truncation` becomes a combination of the two flags above. Returns what `recvmsg` does.
/// C because the CMSG macros are not imported.
ssize_t mp_receive_descriptors(int socket, void *buffer, size_t size, int *descriptors,
                               size_t *descriptor_count, uint32_t *truncation, int flags);

// MARK: Kernel (kernel.c)

/// The process's environment, as glibc keeps it.
///
/// C because Swift rejects the global variable `environ` as not safe for concurrency.
char *const *mp_environment(void);

/// `pipe2` with close-on-exec. C because of _GNU_SOURCE.
int mp_pipe(int descriptors[2]);

/// Opens a folder for `fchdir` alone, close-on-exec; -1 with errno. C because of _GNU_SOURCE.
int mp_open_folder(const char *path);

/// POSIX_SPAWN_SETSID: the child leads a new session and its group. C because of _GNU_SOURCE.
#define MP_SPAWN_NEW_SESSION 0x80

/// Closes every descriptor from `lowest` up in the child. C because of _GNU_SOURCE.
///
/// `actions` is a `posix_spawn_file_actions_t *`; returns an errno value, as its siblings do.
int mp_spawn_close_from(void *actions, int lowest);

/// Has the child start in another folder. C because of _GNU_SOURCE.
///
/// `actions` is a `posix_spawn_file_actions_t *`; returns an errno value, as its siblings do.
int mp_spawn_change_directory(void *actions, const char *path);

/// The number of processors in the calling thread's affinity mask, or -1 with errno.
///
/// C because of _GNU_SOURCE and because CPU_COUNT_S and its siblings are macros.
int mp_affinity_count(void);

/// Writes the numbers of the processors in the calling thread's affinity mask, in order, as far as they fit.
///
/// Returns how many there are, or -1 with errno. C for the reason of `mp_affinity_count`.
int mp_affinity_list(int *numbers, int capacity);

/// The nice value of the process. C because the first argument of `getpriority` is an enum in some headers only.
int mp_niceness(void);

/// The lowest nice value that the process may give itself without a privilege (RLIMIT_NICE).
///
/// C because the type of a resource's name differs between C libraries.
int mp_lowest_niceness(void);

/// Whether the process has the capability to lower nice values (CAP_SYS_NICE).
///
/// C because `syscall` is variadic.
bool mp_may_lower_niceness(void);

/// Names the calling thread, for debuggers and `top`. C because of _GNU_SOURCE.
void mp_set_thread_name(const char *name);

/// `pidfd_open` with close-on-exec. C because glibc before 2.36 has no declaration and
/// `syscall` is variadic, which Swift cannot call.
int mp_pidfd_open(pid_t process);

/// `pidfd_send_signal`. C for the reason of `mp_pidfd_open`.
int mp_pidfd_send_signal(int pidfd, int signal);

/// Signals the process group that the process behind `pidfd` leads or led, also when it was reaped.
///
/// Fails with EINVAL before Linux 6.9. C for the reason of `mp_pidfd_open`.
int mp_pidfd_signal_group(int pidfd, int signal);

/// Reaps the process behind `pidfd` if it has ended; does not block.
///
/// Returns 1 with `exited` and `status` (exit code or signal number), 0 while the process
/// runs, -1 with errno. C because the fields of `siginfo_t` are macros over a union.
int mp_pidfd_reap(int pidfd, bool *exited, int *status);

/// Whether the child is stopped by a signal, which stays to be waited for. C because of P_PIDFD.
bool mp_pidfd_is_stopped(int pidfd);

/// `memfd_create` that is close-on-exec and can be sealed. C because of _GNU_SOURCE.
int mp_memory_create(const char *name);

/// `ftruncate` that fails with EFBIG above the limit of RLIMIT_FSIZE, instead of ending the program by SIGXFSZ.
///
/// C because the mask of signals is quicker said there.
int mp_memory_resize(int descriptor, off_t size);

/// Forbids any later change of the size of a memfd. C because of _GNU_SOURCE.
int mp_memory_seal(int descriptor);

/// Gives back the pages of a range of a memfd, which reads as zero again; -1 with errno. C because of _GNU_SOURCE.
int mp_memory_discard(int descriptor, off_t offset, off_t count);

/// Whether no process can make memory of `mp_memory_create` smaller; false also for what is no such memory.
bool mp_memory_cannot_shrink(int descriptor);

/// Sleeps while `*word` is `expected`; `timeout_ns` below zero means no limit.
///
/// Returns 0 when woken, -1 with errno (EAGAIN: the value was another, ETIMEDOUT, EINTR).
/// C because `syscall` is variadic.
int mp_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns);

/// Wakes up to `count` sleepers in any process; returns how many, or -1 with errno.
///
/// C because `syscall` is variadic.
int mp_futex_wake(const void *word, int count);

/// Has this process answer the fences of others and of itself; returns 0, or -1 with errno where there are none.
///
/// C because `syscall` is variadic.
int mp_remote_fence_register(void);

/// Makes every running thread of this process pass a full fence; with `in_all`, of every process that has registered.
///
/// Returns 0, or -1 with errno. C because `syscall` is variadic.
int mp_remote_fence(bool in_all);

// MARK: Tools (tools.c)

/// Writes the counts of a program that was built for code coverage; does nothing in others.
///
/// C because the symbol is in some programs only and has to be a weak reference.
void mp_write_profile(void);

/// The function that takes the place of `XCTestCase.recordFailure` in a worker.
///
/// C because Swift has no way to the address of a function with its own calling convention.
const void *mp_test_failure_recorder(void);

// MARK: Atomics in shared memory
//
// C because the atomics of Swift's Synchronization module own their storage and cannot
// be laid over an address in a mapping that two processes share.

/// Orders what comes before against what comes after, stores against loads too.
static inline void mp_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/// Keeps the compiler from moving memory accesses across; the processor is not held up.
static inline void mp_compiler_fence(void) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/// Tells the processor that the caller is in a loop that waits. C, because Swift has no such instruction.
static inline void mp_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

static inline uint32_t mp_load_acquire_u32(const void *address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}

static inline void mp_store_release_u32(void *address, uint32_t value) {
    __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE);
}

static inline bool mp_cas_u32(void *address, uint32_t *expected, uint32_t desired) {
    return __atomic_compare_exchange_n((uint32_t *)address, expected, desired, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline uint32_t mp_fetch_and_u32(void *address, uint32_t value) {
    return __atomic_fetch_and((uint32_t *)address, value, __ATOMIC_ACQ_REL);
}

static inline uint32_t mp_fetch_add_u32(void *address, uint32_t value) {
    return __atomic_fetch_add((uint32_t *)address, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t mp_load_acquire_u64(const void *address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}

static inline void mp_store_release_u64(void *address, uint64_t value) {
    __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELEASE);
}

static inline bool mp_cas_u64(void *address, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n((uint64_t *)address, expected, desired, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline uint64_t mp_fetch_add_u64(void *address, uint64_t value) {
    return __atomic_fetch_add((uint64_t *)address, value, __ATOMIC_ACQ_REL);
}

#endif
