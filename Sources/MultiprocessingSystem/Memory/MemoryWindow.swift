internal import CMultiprocessing
internal import Glibc

/// A part of memory that processes share, mapped here.
///
/// A window that is mapped twice in a row shows its first byte again right behind its last, so that what lies across
/// the end of a ring is in one piece.
package final class MemoryWindow: Sendable {
    package let count: Int

    private let copies: Int

    // Safe: never changed, and who uses what it points to says how.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - offset: Where it begins in the memory; a multiple of the page size.
    ///   - count: Its size in bytes; a multiple of the page size for one that is mapped twice.
    /// - Throws: If the memory is smaller than that (`EINVAL`), could shrink, or the system refuses.
    package init(of memory: OpenDescriptor, at offset: Int, count: Int, twice: Bool = false) throws(SystemError) {
        let raw = memory.number.rawValue
        var status = stat()
        try systemCall("fstat") { fstat(raw, &status) }
        guard offset >= 0, count > 0, offset <= Int(status.st_size), count <= Int(status.st_size) - offset else {
            throw SystemError(.invalidArgument, "mmap behind the end of shared memory")
        }
        copies = twice ? 2 : 1
        self.count = count
        // Addresses that nobody else gets meanwhile; the windows then take their place.
        guard let address = mmap(nil, copies * count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            address != MAP_FAILED
        else { throw SystemError(.current, "mmap") }
        self.address = address
        for copy in 0..<copies {
            let flags = MAP_SHARED | MAP_FIXED
            let place = mmap(address + copy * count, count, PROT_READ | PROT_WRITE, flags, raw, off_t(offset))
            guard place != MAP_FAILED else { throw SystemError(.current, "mmap") }
        }
    }

    deinit {
        munmap(address, copies * count)
    }

    /// The first byte; valid for as long as this object lives.
    package var start: UnsafeMutableRawPointer { address }
}

extension OpenDescriptor {
    /// Makes memory of a fixed size, which reads as zero, takes what is written to, and is mapped in parts.
    package static func memory(size: Int, name: String) throws(SystemError) -> OpenDescriptor {
        guard size > 0 else { throw SystemError(.invalidArgument, "memfd_create") }
        let descriptor = FileDescriptor(adopting: try systemCall("memfd_create") { mp_memory_create(name) })
        let raw = descriptor.number.rawValue
        try systemCall("ftruncate") { mp_memory_resize(raw, off_t(size)) }
        try systemCall("fcntl(F_ADD_SEALS)") { mp_memory_seal(raw) }
        return OpenDescriptor(descriptor)
    }

    /// Gives back what memory takes in a range, which then reads as zero.
    ///
    /// Where that cannot be, all stays as it is.
    package func discard(at offset: Int, count: Int) {
        _ = mp_memory_discard(number.rawValue, off_t(offset), off_t(count))
    }
}
