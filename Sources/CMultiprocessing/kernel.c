// Thin wrappers of calls that Swift cannot reach; the header says why for each.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char *const *mp_environment(void) {
    return environ;
}

static int mp_has_interpreter(struct dl_phdr_info *info, size_t size, void *result) {
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_INTERP) {
            *(bool *)result = true;
        }
    }
    // The first image is the program's; the others do not matter.
    return 1;
}

bool mp_is_run_by_loader(void) {
    // The kernel has told where it put the loader, unless that was the program that it started.
    if (getauxval(AT_BASE) != 0) {
        return false;
    }
    bool has_interpreter = false;
    dl_iterate_phdr(mp_has_interpreter, &has_interpreter);
    return has_interpreter;
}

int mp_pipe(int descriptors[2]) {
    return pipe2(descriptors, O_CLOEXEC);
}

bool mp_pidfd_is_stopped(int pidfd) {
    siginfo_t info = {0};
    return waitid(P_PIDFD, (id_t)pidfd, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

int mp_open_folder(const char *path) {
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int mp_spawn_close_from(void *actions, int lowest) {
    return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

int mp_spawn_change_directory(void *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

// Calls `look` with the affinity mask; returns what it returns, or -1 with errno.
static int mp_with_affinity(int (*look)(const cpu_set_t *set, size_t size, int *numbers, int capacity), int *numbers,
                            int capacity) {
    // The kernel answers EINVAL to a set that is smaller than its own, so a fixed
    // `cpu_set_t` fails on a machine with more than 1024 possible processors.
    for (int possible = 1024; possible <= 1 << 20; possible *= 2) {
        cpu_set_t *set = CPU_ALLOC(possible);
        if (set == NULL) {
            errno = ENOMEM;
            return -1;
        }
        size_t size = CPU_ALLOC_SIZE(possible);
        int result = sched_getaffinity(0, size, set);
        int count = result == 0 ? look(set, size, numbers, capacity) : -1;
        CPU_FREE(set);
        if (result == 0) {
            return count;
        }
        if (errno != EINVAL) {
            return -1;
        }
    }
    errno = EINVAL;
    return -1;
}

static int mp_count_processors(const cpu_set_t *set, size_t size, int *numbers, int capacity) {
    (void)numbers;
    (void)capacity;
    return CPU_COUNT_S(size, set);
}

static int mp_list_processors(const cpu_set_t *set, size_t size, int *numbers, int capacity) {
    int count = 0;
    for (int number = 0; number < (int)size * 8; number++) {
        if (CPU_ISSET_S(number, size, set)) {
            if (count < capacity) {
                numbers[count] = number;
            }
            count++;
        }
    }
    return count;
}

int mp_affinity_count(void) {
    return mp_with_affinity(mp_count_processors, NULL, 0);
}

int mp_affinity_list(int *numbers, int capacity) {
    return mp_with_affinity(mp_list_processors, numbers, capacity);
}

int mp_niceness(void) {
    // The first thread's: Dispatch gives those that it makes other values.
    return getpriority(PRIO_PROCESS, (id_t)getpid());
}

int mp_lowest_niceness(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NICE, &limit) != 0) {
        return 20;
    }
    // From 1 for a nice value of 19 to 40 for one of -20; infinity counts as all.
    return limit.rlim_cur >= 40 ? -20 : 20 - (int)limit.rlim_cur;
}

bool mp_may_lower_niceness(void) {
    const int sys_nice = 23;
    // Version 3 of the header and of the data, which <linux/capability.h> names.
    struct { uint32_t version; int process; } header = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } data[2] = {{0}};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> sys_nice & 1) != 0;
}

void mp_set_thread_name(const char *name) {
    // The kernel keeps 15 characters and glibc refuses a longer name.
    char shortened[16] = {0};
    strncpy(shortened, name, sizeof shortened - 1);
    pthread_setname_np(pthread_self(), shortened);
}

int mp_pidfd_open(pid_t process) {
    // The kernel sets close-on-exec on every pidfd.
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int mp_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int mp_pidfd_signal_group(int pidfd, int signal) {
    // PIDFD_SIGNAL_PROCESS_GROUP, which older headers lack.
    const unsigned int to_group = 1u << 2;
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, to_group);
}

int mp_pidfd_reap(int pidfd, bool *exited, int *status) {
    // P_PIDFD, which older headers lack.
    const idtype_t by_pidfd = (idtype_t)3;
    siginfo_t info;
    // waitid leaves it untouched when no child has ended.
    memset(&info, 0, sizeof info);
    if (waitid(by_pidfd, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) {
        return -1;
    }
    if (info.si_pid == 0) {
        return 0;
    }
    *exited = info.si_code == CLD_EXITED;
    *status = info.si_status;
    return 1;
}

int mp_memory_create(const char *name) {
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int mp_memory_resize(int descriptor, off_t size) {
    sigset_t signal, before, pending;
    sigemptyset(&signal);
    sigaddset(&signal, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &signal, &before);
    int result = ftruncate(descriptor, size);
    int error = errno;
    // The signal is this thread's own, and would come as soon as it is let through.
    if (result != 0 && error == EFBIG && !sigismember(&pending, SIGXFSZ)) {
        const struct timespec none = {0};
        sigtimedwait(&signal, NULL, &none);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return result;
}

int mp_memory_seal(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int mp_memory_discard(int descriptor, off_t offset, off_t count) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

bool mp_memory_cannot_shrink(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

int mp_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    return (int)syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
}

int mp_futex_wake(const void *word, int count) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

int mp_remote_fence_register(void) {
    int known = (int)syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    int needed = MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
                 MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    if (known < 0) return -1;
    if ((known & needed) != needed) {
        errno = ENOSYS;
        return -1;
    }
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) != 0) return -1;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return -1;
    if (mp_remote_fence(true) != 0) return -1;
    return mp_remote_fence(false);
}

int mp_remote_fence(bool in_all) {
    int command = in_all ? MEMBARRIER_CMD_GLOBAL_EXPEDITED : MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    return (int)syscall(SYS_membarrier, command, 0, 0);
}
