internal import Glibc
internal import Synchronization

/// What the kernel can do for large memory that someone else allocates.
package enum LargeMemory {
    /// From this size on, large pages are worth a call; they are of 2 MiB.
    private static let largePageUse = 4 << 20

    /// What has to be left for all else that the program allocates meanwhile.
    private static let reserve = 16 << 20

    /// Held while memory is asked for and then taken, so that two threads are not told of the same.
    private static let turn = Mutex(())

    /// Calls `allocate`, which takes so many bytes, if the kernel grants them; otherwise returns `nil`.
    ///
    /// An array's allocation ends the process when it fails, and this tells beforehand. Other threads of the program
    /// may take memory between the answer and the allocation, for which there is a reserve.
    package static func ifAvailable<Memory>(_ byteCount: Int, _ allocate: () -> Memory) -> Memory? {
        let answer = turn.withLock { _ in
            UnsafeTransfer(value: isAvailable(byteCount) ? allocate() : nil)
        }
        return answer.value
    }

    /// Carries what was made under a lock out of it.
    private struct UnsafeTransfer<Value>: @unchecked Sendable {
        // Sendable: made and used by the same thread.
        let value: Value
    }

    /// Whether the kernel would grant so many bytes now, and a reserve besides.
    ///
    /// Asks for them and gives them back, which touches none.
    package static func isAvailable(_ byteCount: Int) -> Bool {
        guard byteCount > 0 else { return byteCount == 0 }
        let (asked, overflow) = byteCount.addingReportingOverflow(reserve)
        guard !overflow else { return false }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let address = mmap(nil, asked, PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED else {
            return false
        }
        munmap(address, asked)
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
