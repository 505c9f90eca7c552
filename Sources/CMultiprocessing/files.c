// Files as the running image needs them: mapped to be read, and told apart.

#include "CMultiprocessing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int mp_map_file(const char *path, const void **start, size_t *size) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno;
    }
    off_t length = lseek(descriptor, 0, SEEK_END);
    int error = length < 0 ? errno : length == 0 ? ENODATA : 0;
    if (error == 0) {
        void *address = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, descriptor, 0);
        error = address == MAP_FAILED ? errno : 0;
        *start = address;
        *size = (size_t)length;
    }
    close(descriptor);
    return error;
}

void mp_unmap_file(const void *start, size_t size) {
    munmap((void *)start, size);
}

const char *mp_error_text(int error) {
    return strerror(error);
}

bool mp_file_facts(const char *path, uint64_t facts[5]) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return false;
    }
    facts[0] = status.st_dev;
    facts[1] = status.st_ino;
    facts[2] = (uint64_t)status.st_size;
    facts[3] = (uint64_t)status.st_mtim.tv_sec;
    facts[4] = (uint64_t)status.st_mtim.tv_nsec;
    return true;
}

bool mp_mapped_file(const void *address, uint64_t *device, uint64_t *inode) {
    FILE *mappings = fopen("/proc/self/maps", "re");
    if (mappings == NULL) {
        return false;
    }
    char *line = NULL;
    size_t capacity = 0;
    bool is_found = false;
    while (!is_found && getline(&line, &capacity, mappings) > 0) {
        // "7f16…000-7f16…000 r-xp 00000000 fe:00 16458422  /usr/lib/libexample.so"
        uintptr_t start, end;
        unsigned major_number, minor_number;
        unsigned long number;
        if (sscanf(line, "%lx-%lx %*s %*s %x:%x %lu", &start, &end, &major_number, &minor_number, &number) == 5 &&
            start <= (uintptr_t)address && (uintptr_t)address < end) {
            *device = makedev(major_number, minor_number);
            *inode = number;
            is_found = true;
        }
    }
    free(line);
    fclose(mappings);
    return is_found && *inode != 0;
}
