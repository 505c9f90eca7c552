// The entry of a worker process, which is this executable started a second time.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

// The arguments as the kernel placed them, in a worker; NULL in every other process.
static char **mp_worker_arguments;

// What the worker is called instead of its number; empty for its number.
static char mp_worker_title[64];

// A number up to the end or to the first setting: no sign, no space, no trailing text. Returns -1 otherwise.
static int mp_parse_descriptor(const char *text) {
    int value = 0;
    size_t length = strcspn(text, ";");
    if (length == 0 || length > 9) {
        return -1;
    }
    for (const char *end = text + length; text != end; text++) {
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

// Ends a process that was started as a worker and cannot be one.
static _Noreturn void mp_refuse(int code, const char *text) {
    // The standard error of a worker is a pipe to its pool, which passes it on.
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
    _exit(code);
}

// Lets the process have no more of a resource than `limit`; never raises a limit.
static bool mp_lower_limit(__rlimit_resource_t resource, unsigned long long limit) {
    struct rlimit values;
    if (getrlimit(resource, &values) != 0) {
        return false;
    }
    if (limit < values.rlim_max) {
        values.rlim_max = (rlim_t)limit;
    }
    values.rlim_cur = values.rlim_max;
    return setrlimit(resource, &values) == 0;
}

// Sets the nice value, which was inherited from whichever thread of the parent has started the process.
//
// One that cannot be lowered stays: whether the program may do so was asked when the pool was made, and a worker
// that gives way more than it should is of use all the same.
static bool mp_be_nice(int value) {
    int now = getpriority(PRIO_PROCESS, 0);
    return now == value || setpriority(PRIO_PROCESS, 0, value) == 0 || now > value;
}

// Runs the process on these cores, "0,2,3", and no others.
static bool mp_stay_on(const char *list) {
    const int possible = 1 << 16;
    cpu_set_t *set = CPU_ALLOC(possible);
    if (set == NULL) {
        return false;
    }
    size_t size = CPU_ALLOC_SIZE(possible);
    CPU_ZERO_S(size, set);
    for (char *end; *list >= '0' && *list <= '9'; list = *end == ',' ? end + 1 : end) {
        unsigned long core = strtoul(list, &end, 10);
        if (core < (unsigned long)possible) {
            CPU_SET_S(core, size, set);
        }
    }
    bool is_done = sched_setaffinity(0, size, set) == 0;
    int error = errno;
    CPU_FREE(set);
    errno = error;
    return is_done;
}

// Applies what the pool asks of the process it runs work in; `settings` is what stands behind the descriptor.
//
// Here and not by the parent: a nice value and cores are a thread's, so they are set while there is only one;
// and no work must begin before its limits hold.
static void mp_apply_settings(const char *settings) {
    for (const char *setting = settings; *setting == ';';) {
        const char kind = setting[1];
        const char *value = kind != '\0' ? setting + 2 : setting + 1;
        const char *what = "know a setting";
        bool is_done = false;
        errno = EINVAL;
        if (kind == 'n') {
            what = "change its nice value";
            is_done = mp_be_nice(atoi(value));
        } else if (kind == 'c') {
            what = "run on the cores it was given";
            is_done = mp_stay_on(value);
        } else if (kind == 'd') {
            what = "limit its memory";
            is_done = mp_lower_limit(RLIMIT_DATA, strtoull(value, NULL, 10));
        } else if (kind == 'f') {
            what = "limit its open files";
            is_done = mp_lower_limit(RLIMIT_NOFILE, strtoull(value, NULL, 10));
        } else if (kind == 'l') {
            // Into a pipe, lines would otherwise be kept until there are four thousand bytes of them.
            is_done = setvbuf(stdout, NULL, _IOLBF, 0) == 0;
        }
        if (kind == 't') {
            snprintf(mp_worker_title, sizeof mp_worker_title, "%.*s", (int)strcspn(value, ";"), value);
            is_done = true;
        }
        if (!is_done) {
            char text[160];
            snprintf(text, sizeof text, "the worker process could not %s: %s\n", what, strerror(errno));
            mp_refuse(MP_EXIT_SETTINGS, text);
        }
        setting = value + strcspn(value, ";");
    }
}

// C because only a constructor runs before a `main` that belongs to someone else (a test
// runner, a program's author), and Swift has no constructors. glibc passes the arguments.
//
// In every process that is not marked as a worker this is one look-up in the environment. One
// that is marked never gets to `main`, whatever is wrong with it: `main` makes the pool, whose
// workers would run `main` too.
__attribute__((constructor)) static void mp_worker_entry(int argc, char **argv, char **envp) {
    const char *text = getenv(MP_WORKER_VARIABLE);
    if (text == NULL) {
        return;
    }
    // Who starts a set-user-ID program, or one with file capabilities, chooses its environment and
    // its sockets, and nothing that the process could ask of the other end proves that it is a pool
    // of the same privileges. Work from there would be anybody's code with the program's rights.
    if (getauxval(AT_SECURE) != 0) {
        mp_refuse(MP_EXIT_PRIVILEGED, MP_WORKER_VARIABLE
                  " marks this process as a worker, but it has privileges from its executable or its"
                  " effective id, so it takes no work\n");
    }
    if (strcmp(text, MP_SPARE_MARK) == 0) {
        text = mp_await_assignment(argc > 0 ? argv[0] : "");
    }
    int descriptor = mp_parse_descriptor(text);
    if (descriptor < 0 || !mp_is_stream_socket(descriptor)) {
        mp_refuse(MP_EXIT_NO_SOCKET, MP_WORKER_VARIABLE
                  " marks this process as a worker, but it has no socket to a pool; to run the program,"
                  " unset the variable\n");
    }
    // Behind the descriptor, as ";n5;c0,1;d1048576;f256;l;tname": nice value, cores, bytes, files, lines, title.
    mp_apply_settings(text + strcspn(text, ";"));
    // Before anything else runs, so that no program that this process starts is taken for a worker.
    unsetenv(MP_WORKER_VARIABLE);
    mp_worker_arguments = argv;
    // Here, where there is one thread: later the kernel waits for all processors, for tens of milliseconds.
    mp_remote_fence_register();

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

// What of `path` comes behind its last slash.
static const char *mp_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// Lets what points into the memory from `start` to `end` point to the same place in its copy.
static void mp_move(char **pointer, const char *start, const char *end, char *copy) {
    if (*pointer >= start && *pointer < end) {
        *pointer = copy + (*pointer - start);
    }
}

void mp_name_worker(long index, char **program_arguments) {
    char **arguments = mp_worker_arguments;
    if (arguments == NULL || arguments[0] == NULL) {
        return;
    }
    char *start = arguments[0];
    const char *program = mp_base_name(start);
    const bool is_titled = mp_worker_title[0] != '\0';
    char suffix[80];
    int suffix_length = is_titled ? snprintf(suffix, sizeof suffix, " %s", mp_worker_title)
                                  : snprintf(suffix, sizeof suffix, " worker %ld", index);

    // The kernel keeps 15 bytes: the number is worth more than the end of the program's name.
    char name[16];
    int room = (int)sizeof name - 1 - suffix_length;
    if (is_titled) {
        snprintf(name, sizeof name, "%s", mp_worker_title);
    } else {
        snprintf(name, sizeof name, "%.*s%s", room > 0 ? room : 0, program, suffix);
    }
    prctl(PR_SET_NAME, name, 0, 0, 0);

    // The arguments are replaced where `ps` reads them, which is only right while they stand one
    // behind another.
    char *end = start;
    for (char **argument = arguments; *argument != NULL; argument++) {
        if (*argument != end) {
            return;
        }
        end = *argument + strlen(*argument) + 1;
    }
    // The last byte stays zero: by another the kernel knows a title that goes on behind the arguments.
    size_t size = (size_t)(end - start);
    if (is_titled && strlen(program) + 2 < size && strlen(program) + (size_t)suffix_length >= size) {
        // What there is no room for of a long title is left out.
        suffix_length = (int)(size - strlen(program)) - 1;
    }
    size_t length = strlen(program) + (size_t)suffix_length;
    char *copy = length < size ? malloc(size) : NULL;
    if (copy == NULL) {
        return;
    }
    memcpy(copy, start, size);
    const char *const program_copy = copy + (program - start);

    // Whoever has their addresses finds them in the copy.
    char **const lists[] = {arguments, program_arguments};
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (char **argument = lists[list]; argument != NULL && *argument != NULL; argument++) {
            mp_move(argument, start, end, copy);
        }
    }
    mp_move(&program_invocation_name, start, end, copy);
    mp_move(&program_invocation_short_name, start, end, copy);

    memset(start, 0, size);
    memcpy(start, program_copy, strlen(program_copy));
    memcpy(start + strlen(program_copy), suffix, (size_t)suffix_length);
}
