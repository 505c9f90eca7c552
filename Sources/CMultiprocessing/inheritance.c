// What a process inherits from the thread that starts it, beside descriptors, folder, environment and signals.

#define _GNU_SOURCE
#include "CMultiprocessing.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
    char *start;
    size_t size, capacity;
    bool is_full;
} mp_record;

static void mp_note(mp_record *record, const void *bytes, size_t size) {
    if (record->capacity - record->size < size) {
        record->is_full = true;
        return;
    }
    memcpy(record->start + record->size, bytes, size);
    record->size += size;
}

static void mp_note_number(mp_record *record, long value) {
    mp_note(record, &value, sizeof value);
}

// Notes the lines of a small file that begin with one of `names`, or all of it. What cannot be read is the same as
// long as it cannot.
static void mp_note_file(mp_record *record, const char *path, const char *const *names) {
    char text[8192];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    int error = errno;
    if (file >= 0) close(file);
    if (size < 0) return mp_note_number(record, -error);
    // There may be more, such as behind a thousand groups: what is not read is not known to be the same.
    if (size == sizeof text - 1) record->is_full = true;
    text[size] = '\0';
    if (names == NULL) return mp_note(record, text, (size_t)size);
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        size_t length = end != NULL ? (size_t)(end - line) + 1 : strlen(line);
        for (const char *const *name = names; *name != NULL; name++) {
            if (strncmp(line, *name, strlen(*name)) == 0) {
                mp_note(record, line, length);
                break;
            }
        }
        line += length;
    }
}

ssize_t mp_inheritance(char *buffer, size_t capacity) {
    static const char *const lines[] = {"Umask:", "Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp",
                                        "Speculation", "Cpus_allowed:", "Mems_allowed:", "THP_enabled:", NULL};
    static const char *const spaces[] = {"mnt", "net", "uts", "ipc", "user", "cgroup", "pid_for_children",
                                         "time_for_children"};
    mp_record record = {.start = buffer, .capacity = capacity};
    mp_note_file(&record, "/proc/thread-self/status", lines);
    // Without it nothing is known, and no two states are taken for the same.
    if (record.size < 64) {
        errno = ENOENT;
        return -1;
    }
    mp_note_file(&record, "/proc/thread-self/cgroup", NULL);
    mp_note_file(&record, "/proc/thread-self/attr/current", NULL);
    mp_note_file(&record, "/proc/thread-self/attr/exec", NULL);
    mp_note_file(&record, "/proc/self/oom_score_adj", NULL);
    mp_note_file(&record, "/proc/self/coredump_filter", NULL);
    for (size_t space = 0; space < sizeof spaces / sizeof spaces[0]; space++) {
        char path[64], target[64];
        snprintf(path, sizeof path, "/proc/thread-self/ns/%s", spaces[space]);
        ssize_t length = readlink(path, target, sizeof target);
        mp_note_number(&record, length);
        if (length > 0) mp_note(&record, target, (size_t)length);
    }
    struct stat root;
    if (stat("/", &root) != 0) return -1;
    mp_note_number(&record, (long)root.st_dev);
    mp_note_number(&record, (long)root.st_ino);
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit limit = {0};
        if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return -1;
        mp_note(&record, &limit, sizeof limit);
    }
    // Of the calling thread, all of them.
    struct sched_param parameters = {0};
    sched_getparam(0, &parameters);
    mp_note_number(&record, sched_getscheduler(0));
    mp_note_number(&record, parameters.sched_priority);
    mp_note_number(&record, getpriority(PRIO_PROCESS, 0));
    mp_note_number(&record, syscall(SYS_ioprio_get, 1, 0));
    mp_note_number(&record, prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    mp_note_number(&record, prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    mp_note_number(&record, personality(0xffffffff));
    // PR_GET_MDWE and PR_GET_MEMORY_MERGE, which not all headers have.
    mp_note_number(&record, prctl(66, 0, 0, 0, 0));
    mp_note_number(&record, prctl(68, 0, 0, 0, 0));
    unsigned long nodes[16] = {0};
    int policy = 0;
    mp_note_number(&record, syscall(SYS_get_mempolicy, &policy, nodes, sizeof nodes * 8, NULL, 0));
    mp_note_number(&record, policy);
    mp_note(&record, nodes, sizeof nodes);
    if (record.is_full) {
        errno = ENOBUFS;
        return -1;
    }
    return (ssize_t)record.size;
}
