internal import Glibc

/// What the kernel can do for large memory that someone else allocates.
package enum LargeMemory {
    /// From this size on, large pages are worth a call; they are of 2 MiB.
    private static let largePageUse = 4 << 20

    /// Whether the kernel would grant so many bytes now.
    ///
    /// Asks for them and gives them back, which touches none. An array's allocation ends the process when it
    /// fails, and this tells beforehand; other threads may still take the memory in between.
    package static func isAvailable(_ byteCount: Int) -> Bool {
        guard byteCount > 0 else { return byteCount == 0 }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED else {
            return false
        }
        munmap(address, byteCount)
        return true
    }

    /// Asks for large pages under memory that is about to be filled; the faults for small ones take longer
    /// than the copy into them.
    package static func preferLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress, memory.count >= largePageUse else { return }
        // The first page that lies in the memory as a whole.
        let page = start.alignedUp(toMultipleOf: sysconf(Int32(_SC_PAGESIZE)))
        // A kernel without large pages refuses, and small ones do as well.
        _ = madvise(page, memory.count - (page - start), MADV_HUGEPAGE)
    }
}
