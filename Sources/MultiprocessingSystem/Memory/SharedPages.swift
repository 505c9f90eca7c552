internal import CMultiprocessing
internal import Glibc

/// Memory that this process shares with those to which it passes the descriptor.
///
/// It has no name in any file system and ends with its last mapping. Its size is sealed,
/// so no process can make another one fault (SIGBUS) by truncating it.
package final class SharedPages: Sendable {
    /// What it is passed to other processes by.
    package let descriptor: OpenDescriptor

    /// The size in bytes, a multiple of the page size.
    package let count: Int

    // Safe: never changed, and what it points to is documented to need synchronization.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    /// Makes new memory that reads as zero.
    ///
    /// - Parameters:
    ///   - size: In bytes, at least one; rounded up to whole pages.
    ///   - name: What `/proc/<pid>/maps` shows.
    package convenience init(size: Int, name: String = "multiprocessing") throws(SystemError) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard size > 0, size <= Int.max - page else {
            throw SystemError(.invalidArgument, "memfd_create")
        }
        let rounded = (size + page - 1) / page * page
        let descriptor = FileDescriptor(adopting: try systemCall("memfd_create") { mp_memory_create(name) })
        let raw = descriptor.number.rawValue
        try systemCall("ftruncate") { mp_memory_resize(raw, rounded) }
        try systemCall("fcntl(F_ADD_SEALS)") { mp_memory_seal(raw) }
        try self.init(mapping: OpenDescriptor(descriptor))
    }

    /// Maps memory that another process has made.
    package convenience init(mapping descriptor: consuming FileDescriptor) throws(SystemError) {
        try self.init(mapping: OpenDescriptor(descriptor))
    }

    /// Maps memory that another process has made.
    ///
    /// - Throws: Also when it is no memory, or another process could make it smaller.
    package init(mapping memory: OpenDescriptor) throws(SystemError) {
        let raw = memory.number.rawValue
        guard mp_memory_cannot_shrink(raw) else { throw SystemError(.invalidArgument, "fcntl(F_GET_SEALS)") }
        var status = stat()
        try systemCall("fstat") { fstat(raw, &status) }
        let size = Int(status.st_size)
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, raw, 0), address != MAP_FAILED else {
            throw SystemError(.current, "mmap")
        }
        self.descriptor = memory
        self.count = size
        self.address = address
    }

    deinit {
        munmap(address, count)
    }

    /// The mapped bytes; valid for as long as this object lives.
    ///
    /// Another process may write them at any moment: read what decides anything through
    /// ``SharedWord``, and copy before checking.
    package var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: address, count: count)
    }
}
