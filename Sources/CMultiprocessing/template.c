// The template: this executable, started again and stopped before any initializer has run, which forks workers.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The sanitizers' runtimes start in the same place, in an order that nobody promises, and with threads.
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define MP_HAS_TEMPLATE 0
#else
#define MP_HAS_TEMPLATE 1
#endif

#if MP_HAS_TEMPLATE

enum {
    // What the pool passes to a template.
    request_socket = 3,
    shared_memory = 4,
    // Those of a request come behind all that a worker has, so that each can be put into its place.
    first_received = 16,
};

// What the C library and the kernel know of the only thread, apart from what every copy of it may keep.
typedef struct {
    // Where the C library keeps the thread's id, for mutexes that have an owner.
    pid_t *id;
    // The list of robust mutexes that the thread holds.
    void *robust;
    size_t robust_size;
} mp_thread;

// Whether the thread is one whose copy can be made whole: `clone` behind the C library's back leaves two things
// to be done that its own `fork` does, and both are asked of the kernel and checked here.
static bool mp_find_thread(mp_thread *thread) {
    struct stat tasks;
    if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink != 3) {
        return false;
    }
    if (prctl(PR_GET_TID_ADDRESS, &thread->id, 0, 0, 0) != 0 ||
        syscall(SYS_get_robust_list, 0, &thread->robust, &thread->robust_size) != 0) {
        return false;
    }
    // Both lie in the C library's structure of the thread, whose address is the thread's name.
    const uintptr_t start = (uintptr_t)pthread_self(), size = 4096;
    return (uintptr_t)thread->id - start < size && (uintptr_t)thread->robust - start < size &&
           *thread->id == (pid_t)syscall(SYS_gettid);
}

// Makes a copy of this process as `fork` does, but that the handlers of `pthread_atfork` are not run: there are none
// yet. The kernel writes the child's id to `*made` before the child runs, and before this process can be told anything.
static pid_t mp_clone(unsigned long flags, pid_t *made, const mp_thread *thread) {
    flags |= CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    // Where the child's id goes is the last argument or the one before, by processor; the other is for CLONE_SETTLS.
    pid_t child = (pid_t)syscall(SYS_clone, flags, NULL, made, thread->id, thread->id);
    if (child == 0) {
        syscall(SYS_set_robust_list, thread->robust, thread->robust_size);
    }
    return child;
}

// Whether the C library takes the calling process for what it is, by a mutex that notes its owner.
static bool mp_is_whole(void) {
    const pid_t own = (pid_t)syscall(SYS_gettid);
    pthread_mutexattr_t kind;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    bool is_whole = pthread_mutex_init(&mutex, &kind) == 0 && pthread_mutex_lock(&mutex) == 0 &&
                    mutex.__data.__owner == own && pthread_mutex_lock(&mutex) == 0;
    is_whole = is_whole && pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0;
    pthread_mutexattr_destroy(&kind);
    return is_whole && own == getpid();
}

// Makes a copy that does nothing but look at itself.
static bool mp_try_clone(pid_t *made, const mp_thread *thread) {
    pid_t child = mp_clone(SIGCHLD, made, thread);
    if (child == 0) {
        _exit(mp_is_whole() ? 0 : 1);
    }
    int status;
    return child > 0 && *made == child && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

// Whether a pool has passed what requests come through: the mark alone says nothing.
static bool mp_has_request_socket(void) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(request_socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static bool mp_reply(int32_t value) {
    return send(request_socket, &value, sizeof value, MSG_NOSIGNAL) == sizeof value;
}

static _Noreturn void mp_give_up(const char *what) {
    char text[160];
    int length = snprintf(text, sizeof text, "the worker process could not %s: %s\n", what, strerror(errno));
    ssize_t written = write(STDERR_FILENO, text, (size_t)length);
    (void)written;
    _exit(MP_EXIT_SETTINGS);
}

// Puts what came with a request where a worker has it; behind that comes the folder to work in.
static void mp_take_places(const int *received, int count) {
    // Standard error first: what fails from here on is told there.
    for (int number = STDERR_FILENO; number >= 0; number--) {
        if (dup2(received[number], number) != number) mp_give_up("take its streams");
    }
    for (int number = STDERR_FILENO + 1; number < count - 1; number++) {
        if (dup2(received[number], number) != number) mp_give_up("take what it was passed");
    }
    if (fchdir(received[count - 1]) != 0) mp_give_up("change to its folder");
}

// Makes the copy what it would be had it been started by itself: all that `posix_spawn` does for a worker.
static void mp_become_worker(const int *received, int count) {
    mp_take_places(received, count);
    if (setsid() < 0) mp_give_up("lead a session of its own");
    closefrom(count - 1);
    if (!mp_is_whole()) {
        errno = ENOTSUP;
        mp_give_up("be made from a template");
    }
}

// Waits for a request and its descriptors; what it asks for is `text` then, terminated. Returns how many descriptors
// came, or a negative number without a request; ends at the end of the pool, or of the program.
static int mp_receive_request(char *text, int received[MP_DESCRIPTORS_PER_MESSAGE]) {
    size_t count;
    uint32_t lost;
    ssize_t length;
    do {
        length = mp_receive_descriptors(request_socket, text, MP_TEMPLATE_REQUEST_LIMIT - 1, received, &count, &lost, 0);
    } while (length < 0 && errno == EINTR);
    if (length <= 0) _exit(0);
    text[length] = '\0';
    // The numbers ascend. None may be a place that another is put into.
    const bool is_whole = lost == 0 && count > STDERR_FILENO + 2 && received[0] >= (int)count - 1;
    return is_whole ? (int)count : -1;
}

static void mp_set_name(const char *program, const char *suffix) {
    char name[16];
    const char *slash = strrchr(program, '/');
    snprintf(name, sizeof name, "%.6s %s", slash != NULL ? slash + 1 : program, suffix);
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Serves requests until there is nobody to make any; returns in each worker, as the process that goes on.
static void mp_serve_requests(char **mark, const char *program) {
    // Kept beyond the return, because the worker's environment points to it.
    static char text[sizeof MP_WORKER_VARIABLE + MP_TEMPLATE_REQUEST_LIMIT];
    const size_t prefix = sizeof MP_WORKER_VARIABLE;
    memcpy(text, MP_WORKER_VARIABLE "=", prefix);

    char name[16] = {0};
    prctl(PR_GET_NAME, name, 0, 0, 0);
    mp_set_name(program, "template");

    mp_thread thread;
    pid_t *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED, shared_memory, 0);
    if (made == MAP_FAILED || !mp_find_thread(&thread)) _exit(MP_EXIT_NO_TEMPLATE);
    for (int number = shared_memory; number < first_received; number++) {
        if (dup2(STDIN_FILENO, number) != number) _exit(MP_EXIT_NO_TEMPLATE);
    }
    closefrom(first_received);
    if (!mp_try_clone(made, &thread) || !mp_reply(getpid())) _exit(MP_EXIT_NO_TEMPLATE);

    for (;;) {
        int received[MP_DESCRIPTORS_PER_MESSAGE];
        int32_t reply = -EMFILE;
        int count = mp_receive_request(text + prefix, received);
        if (count > 0) {
            pid_t child = mp_clone(CLONE_PARENT, made, &thread);
            if (child == 0) {
                munmap(made, sizeof *made);
                mp_become_worker(received, count);
                prctl(PR_SET_NAME, name, 0, 0, 0);
                *mark = text;
                return;
            }
            reply = child > 0 ? child : -errno;
        }
        // A copy that stayed open would keep the pool from seeing the worker's end.
        closefrom(first_received);
        if (!mp_reply(reply)) _exit(0);
    }
}

// Before the initializers of all libraries and of the program: they run in each worker, as if it had been started by
// itself. So no library can have noted which thread or process it is in, have a thread, a seed or a connection that
// two workers would share; libdispatch's notes the main thread's id, which its locks then name as their owner.
static void mp_template_entry(int argc, char **argv, char **envp) {
    static const char wanted[] = MP_WORKER_VARIABLE "=" MP_TEMPLATE_MARK;
    for (char **variable = envp; *variable != NULL; variable++) {
        if (strcmp(*variable, wanted) == 0) {
            // One with privileges is refused where others are, and so is one in which this does not run.
            if (getauxval(AT_SECURE) == 0 && mp_has_request_socket()) mp_serve_requests(variable, argc > 0 ? argv[0] : "");
            return;
        }
    }
}

__attribute__((section(".preinit_array"), used)) static void (*const mp_template_hook)(int, char **, char **) =
    mp_template_entry;

const char *mp_await_assignment(const char *program) {
    // Kept, because what it returns is a part of it.
    static char text[MP_TEMPLATE_REQUEST_LIMIT];
    if (!mp_has_request_socket()) return MP_SPARE_MARK;
    mp_set_name(program, "spare");
    int received[MP_DESCRIPTORS_PER_MESSAGE];
    // All the places of what comes are taken, by the request's socket and by what holds them free.
    int count = mp_receive_request(text, received);
    if (count < 0) _exit(MP_EXIT_NO_TEMPLATE);
    mp_take_places(received, count);
    // Initializers may have opened descriptors of their own, which stay.
    for (int index = 0; index < count; index++) close(received[index]);
    return text;
}

#else

const char *mp_await_assignment(const char *program) {
    (void)program;
    _exit(MP_EXIT_NO_TEMPLATE);
}

#endif

bool mp_has_template(void) {
    return MP_HAS_TEMPLATE;
}
