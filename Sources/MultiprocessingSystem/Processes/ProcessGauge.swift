internal import Glibc

/// Tells what a child process uses of memory and of processor time.
///
/// Cheap: a read of one line of `/proc`, and a read of a clock. It may be asked from any thread.
package final class ProcessGauge: Sendable {
    private let id: ProcessID

    /// Bound to the process and not to its number: it reads as an error once the process is gone.
    private let sizes: FileDescriptor

    private static let pageSize = UInt64(sysconf(Int32(_SC_PAGESIZE)))

    /// - Parameter id: A child that was not reaped yet.
    package init(_ id: ProcessID) throws(SystemError) {
        self.id = id
        sizes = try FileDescriptor.open("/proc/\(id)/statm")
    }

    /// The bytes of memory that only this process has: its heap, stacks and changed data, as far as they lie in
    /// memory; nil once it has ended.
    ///
    /// What it shares with others, files and shared memory, is not counted, nor what was swapped out. The kernel
    /// counts in steps of some hundred kibibytes, more where there are many cores.
    package func privateMemory() -> UInt64? {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            let count = pread(sizes.number.rawValue, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            // All pages, resident ones, and those of the resident ones that are files or shared.
            let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
            guard fields.count > 2, let resident = UInt64(fields[1]), let shared = UInt64(fields[2]) else { return nil }
            return resident > shared ? (resident - shared) * Self.pageSize : 0
        }
    }

    /// How long the threads of this process have run, in nanoseconds; nil once it has ended.
    package func processorTime() -> UInt64? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(id.rawValue, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
