#ifndef MP_PORTABLE_H
#define MP_PORTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack.h"

/// One loaded segment of an image, `start ..< end` in this process.
typedef struct {
    uintptr_t start;
    uintptr_t end;
    /// Not zero where the processor may run what is there.
    uint32_t is_executable;
} mp_segment;

/// Calls `visit` once for every image the dynamic linker has loaded, the main executable first.
///
/// `name` is empty for the main executable. `build_id` is what the linker wrote into the image to tell
/// it from other builds, or NULL; it is good while `visit` runs. `visit` must not call the dynamic linker.
///
/// C because the program headers are walked with the types and macros of <link.h>, which the
/// Glibc module does not export.
void mp_visit_images(void *context,
                     void (*visit)(void *context, const char *name, uintptr_t base,
                                   const mp_segment *segments, size_t segment_count,
                                   const void *build_id, size_t build_id_size));

/// `malloc_usable_size`: how many bytes the allocation at `pointer` really has.
///
/// C because <malloc.h> is not part of the Glibc module.
size_t mp_allocation_size(void *pointer);

/// The Swift runtime's `swift_allocObject`: a heap object with one reference and unset fields.
///
/// C because the entry point uses the C calling convention, which only a C declaration states.
void *mp_swift_allocate(const void *metadata, size_t size, size_t alignment_mask);

/// The Swift runtime's `swift_deallocUninitializedObject`: frees the object, destroys no field.
///
/// C for the same reason as `mp_swift_allocate`.
void mp_swift_deallocate_uninitialized(void *object, size_t size, size_t alignment_mask);

/// The Swift runtime's `swift_conformsToProtocol`: the witness table of a type for a protocol that
/// is given by its descriptor, or NULL.
///
/// C for the same reason as `mp_swift_allocate`.
const void *mp_swift_conforms(const void *metadata, const void *protocol_descriptor);

/// The Swift runtime's `swift_findAccessibleFunction`: whether the program has a distributed method of that name.
///
/// C for the same reason as `mp_swift_allocate`.
bool mp_swift_has_distributed_method(const char *name, size_t length);

/// The Swift runtime's `swift_demangle`: the name as it is written in source, to be freed by the
/// caller, or NULL.
///
/// C for the same reason as `mp_swift_allocate`.
char *mp_swift_demangle(const char *name);

// The functions of a type's value witness table (include/swift/ABI/ValueWitness.def of the Swift
// project), which is part of the stable ABI. C because they use Swift's calling convention through
// pointers, which Swift cannot state.

/// How many patterns of bits are no value of the type.
uint32_t mp_swift_spare_count(const void *metadata);

/// Which of those patterns is at `value`, counted from 1, or 0 for a value.
uint32_t mp_swift_spare(const void *value, const void *metadata);

/// Writes one of those patterns, counted from 1.
void mp_swift_store_spare(void *value, uint32_t number, const void *metadata);

/// Which case of an enumeration is at `value`: those with payloads come first.
uint32_t mp_swift_enum_case(const void *value, const void *metadata);

/// Turns the enumeration at `value` into its payload.
void mp_swift_project_payload(void *value, const void *metadata);

/// Turns the payload at `value` into a value of a case.
void mp_swift_inject_case(void *value, uint32_t number, const void *metadata);

/// The sections of one image that describe how types lie in memory.
typedef struct {
    const void *builtin;
    size_t builtin_size;
    const void *multi_payload;
    size_t multi_payload_size;
} mp_layout_sections;

/// Calls `visit` for every image with Swift code.
///
/// C because the runtime's `swift_enumerateAllMetadataSections` uses the C calling convention.
void mp_visit_layout_sections(void *context, void (*visit)(void *context, const mp_layout_sections *sections));

#endif
