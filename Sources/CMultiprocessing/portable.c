#define _GNU_SOURCE
#include "portable.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>

typedef struct {
    void *context;
    void (*visit)(void *context, const char *name, uintptr_t base, const mp_segment *segments,
                  size_t segment_count, const void *build_id, size_t build_id_size);
} image_visitor;

// More than any linker emits; segments past the limit are left out, so addresses in them are
// reported as unknown rather than wrongly.
enum { segment_limit = 32 };

// The bytes of the note that linkers leave in an image to tell one build from another; NULL without one.
static const void *find_build_id(const struct dl_phdr_info *info, size_t *size) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_NOTE) continue;
        // Names and contents of notes are padded to 8 bytes only in segments that are aligned so.
        const size_t padding = header->p_align == 8 ? 7 : 3;
        const char *place = (const char *)(info->dlpi_addr + header->p_vaddr);
        size_t rest = header->p_memsz;
        while (rest >= sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)place;
            const size_t name_end = sizeof *note + note->n_namesz;
            const size_t content = (name_end + padding) & ~padding;
            const size_t end = (content + note->n_descsz + padding) & ~padding;
            // The last note need not be padded.
            if (content + note->n_descsz > rest) break;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
                memcmp(place + sizeof *note, "GNU", 4) == 0) {
                *size = note->n_descsz;
                return place + content;
            }
            if (end > rest) break;
            place += end;
            rest -= end;
        }
    }
    *size = 0;
    return NULL;
}

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
    size_t build_id_size;
    const void *build_id = find_build_id(info, &build_id_size);
    visitor->visit(visitor->context, name, info->dlpi_addr, segments, count, build_id, build_id_size);
    return 0;
}

void mp_visit_images(void *context,
                     void (*visit)(void *context, const char *name, uintptr_t base,
                                   const mp_segment *segments, size_t segment_count,
                                   const void *build_id, size_t build_id_size)) {
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

// Declared in include/swift/Runtime/AccessibleFunction.h of the Swift project.
extern const void *swift_findAccessibleFunction(const char *name, size_t length);

bool mp_swift_has_distributed_method(const char *name, size_t length) {
    return swift_findAccessibleFunction(name, length) != NULL;
}

#define SWIFT_CALL __attribute__((swiftcall))

// `TargetValueWitnessTable` in include/swift/ABI/Metadata.h of the Swift project; its address is
// in the word before a type's metadata.
typedef struct {
    void *copying_and_destroying[6];
    SWIFT_CALL uint32_t (*single_payload_case)(const void *value, uint32_t empty_cases, const void *metadata);
    SWIFT_CALL void (*store_single_payload_case)(void *value, uint32_t number, uint32_t empty_cases,
                                                 const void *metadata);
    size_t size;
    size_t stride;
    uint32_t flags;
    uint32_t spare_count;
    SWIFT_CALL uint32_t (*enum_case)(const void *value, const void *metadata);
    SWIFT_CALL void (*project_payload)(void *value, const void *metadata);
    SWIFT_CALL void (*inject_case)(void *value, uint32_t number, const void *metadata);
} value_witnesses;

static const value_witnesses *witnesses(const void *metadata) {
    return ((const value_witnesses *const *)metadata)[-1];
}

uint32_t mp_swift_spare_count(const void *metadata) {
    return witnesses(metadata)->spare_count;
}

uint32_t mp_swift_spare(const void *value, const void *metadata) {
    const value_witnesses *table = witnesses(metadata);
    return table->spare_count == 0 ? 0 : table->single_payload_case(value, table->spare_count, metadata);
}

void mp_swift_store_spare(void *value, uint32_t number, const void *metadata) {
    const value_witnesses *table = witnesses(metadata);
    table->store_single_payload_case(value, number, table->spare_count, metadata);
}

uint32_t mp_swift_enum_case(const void *value, const void *metadata) {
    return witnesses(metadata)->enum_case(value, metadata);
}

void mp_swift_project_payload(void *value, const void *metadata) {
    witnesses(metadata)->project_payload(value, metadata);
}

void mp_swift_inject_case(void *value, uint32_t number, const void *metadata) {
    witnesses(metadata)->inject_case(value, number, metadata);
}

// `MetadataSections` in stdlib/public/SwiftShims/swift/shims/MetadataSections.h of the Swift project.
typedef struct {
    uintptr_t start;
    size_t length;
} section_range;

typedef struct {
    uintptr_t version;
    const void *base;
    void *unused[2];
    section_range before_builtin[9];
    section_range builtin;
    section_range capture;
    section_range multi_payload;
} metadata_sections;

// Weak, because it is no part of the stable ABI; without it layouts that the compiler chose freely are unknown.
extern void swift_enumerateAllMetadataSections(bool (*visit)(const metadata_sections *sections, void *context),
                                               void *context) __attribute__((weak));

typedef struct {
    void *context;
    void (*visit)(void *context, const mp_layout_sections *sections);
} section_visitor;

static bool visit_sections(const metadata_sections *sections, void *data) {
    const section_visitor *visitor = data;
    mp_layout_sections found = {(const void *)sections->builtin.start, sections->builtin.length,
                                (const void *)sections->multi_payload.start, sections->multi_payload.length};
    visitor->visit(visitor->context, &found);
    return true;
}

void mp_visit_layout_sections(void *context, void (*visit)(void *context, const mp_layout_sections *sections)) {
    section_visitor visitor = {context, visit};
    if (swift_enumerateAllMetadataSections) swift_enumerateAllMetadataSections(visit_sections, &visitor);
}
