#define _GNU_SOURCE
#include "portable.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <string.h>

typedef struct {
    void *context;
    void (*visit)(void *context, const char *name, uintptr_t base, const mp_segment *segments,
                  size_t segment_count);
} image_visitor;

// More than any linker emits; segments past the limit are left out, so addresses in them are
// reported as unknown rather than wrongly.
enum { segment_limit = 32 };

static int visit_image(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    const image_visitor *visitor = data;
    mp_segment segments[segment_limit];
    size_t count = 0;

    for (int i = 0; i < info->dlpi_phnum && count < segment_limit; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD) continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        segments[count++] = (mp_segment){start, start + header->p_memsz, header->p_flags & PF_X};
    }
    const char *name = info->dlpi_name ? info->dlpi_name : "";
    visitor->visit(visitor->context, name, info->dlpi_addr, segments, count);
    return 0;
}

void mp_visit_images(void *context,
                     void (*visit)(void *context, const char *name, uintptr_t base,
                                   const mp_segment *segments, size_t segment_count)) {
    image_visitor visitor = {context, visit};
    dl_iterate_phdr(visit_image, &visitor);
}

size_t mp_allocation_size(void *pointer) {
    return malloc_usable_size(pointer);
}

// Declared in include/swift/Runtime/HeapObject.h and Casting.h of the Swift project.
extern void *swift_allocObject(const void *metadata, size_t size, size_t alignment_mask);
extern void swift_deallocUninitializedObject(void *object, size_t size, size_t alignment_mask);
extern const void *swift_conformsToProtocol(const void *metadata, const void *protocol_descriptor);

void *mp_swift_allocate(const void *metadata, size_t size, size_t alignment_mask) {
    return swift_allocObject(metadata, size, alignment_mask);
}

void mp_swift_deallocate_uninitialized(void *object, size_t size, size_t alignment_mask) {
    swift_deallocUninitializedObject(object, size, alignment_mask);
}

const void *mp_swift_conforms(const void *metadata, const void *protocol_descriptor) {
    return swift_conformsToProtocol(metadata, protocol_descriptor);
}

// Declared in include/swift/Demangling/Demangle.h of the Swift project.
extern char *swift_demangle(const char *name, size_t length, char *buffer, size_t *buffer_size,
                            uint32_t flags);

char *mp_swift_demangle(const char *name) {
    return swift_demangle(name, strlen(name), NULL, NULL, 0);
}
