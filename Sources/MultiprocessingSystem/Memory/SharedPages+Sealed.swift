internal import CMultiprocessing
internal import Glibc

extension SharedPages {
    /// Makes memory that holds these bytes, one buffer behind another, without mapping it; nobody can change its size.
    ///
    /// Written and not copied into a mapping, which would take a fault for each page.
    package static func holding(
        _ buffers: [UnsafeRawBufferPointer], name: String = "multiprocessing"
    ) throws(SystemError) -> FileDescriptor {
        let descriptor = FileDescriptor(adopting: try systemCall("memfd_create") { mp_memory_create(name) })
        let raw = descriptor.number.rawValue
        let size = buffers.reduce(0) { $0 + $1.count }
        // First, because a write past the limit on the size of files would end the program.
        try systemCall("ftruncate") { mp_memory_resize(raw, size) }
        for buffer in buffers {
            var rest = buffer
            while !rest.isEmpty {
                let count = try systemCall("write") { write(raw, rest.baseAddress, min(rest.count, 1 << 30)) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
        try systemCall("fcntl(F_ADD_SEALS)") { mp_memory_seal(raw) }
        return descriptor
    }
}
