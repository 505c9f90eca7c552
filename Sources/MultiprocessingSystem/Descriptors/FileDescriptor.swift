internal import CMultiprocessing
internal import Glibc

/// The one owner of an open descriptor, closed when its owner goes away.
///
/// Closing is left to `deinit`, so that no path that throws can leak one; a second close
/// does not type-check. Every descriptor is close-on-exec.
package struct FileDescriptor: ~Copyable, Sendable {
    package let number: DescriptorNumber

    /// Takes over a descriptor that nobody else will close.
    package init(adopting number: DescriptorNumber) {
        self.number = number
    }

    init(adopting rawValue: Int32) {
        self.number = DescriptorNumber(rawValue: rawValue)
    }

    deinit {
        // Not retried after EINTR: Linux has freed the number by then, and a second close
        // would hit whatever another thread has opened under it in the meantime.
        if Glibc.close(number.rawValue) != 0, Errno.current == .badDescriptor {
            preconditionFailure("descriptor \(number) was closed behind its owner's back")
        }
    }

    /// Closes the descriptor now.
    package consuming func close() {}

    /// Gives up ownership: the caller has to close the descriptor.
    package consuming func release() -> DescriptorNumber {
        let number = number
        discard self
        return number
    }
}

extension FileDescriptor {
    /// Opens a file for reading.
    package static func open(_ path: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try systemCall("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
    }

    /// Opens what takes all that is written to it and keeps none of it (`/dev/null`).
    package static func openForNothing() throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try systemCall("open /dev/null") { Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC) })
    }

    /// Opens a folder to work in, for which no right to list it is needed.
    static func openFolder(_ path: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try systemCall("open \(path)") { mp_open_folder(path) })
    }

    /// A second descriptor for the same open file, with a number of at least `lowest`.
    package static func duplicating(
        _ number: DescriptorNumber,
        lowest: Int32 = 0
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try systemCall("fcntl(F_DUPFD_CLOEXEC)") { fcntl(number.rawValue, F_DUPFD_CLOEXEC, lowest) }
        )
    }

    /// Makes `read` and `write` return at once when they would have to wait.
    ///
    /// The flag belongs to the open file: every duplicate in every process sees it.
    package borrowing func setNonBlocking(_ enabled: Bool = true) throws(SystemError) {
        let raw = number.rawValue
        let flags = try systemCall("fcntl(F_GETFL)") { fcntl(raw, F_GETFL) }
        let changed = enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        try systemCall("fcntl(F_SETFL)") { fcntl(raw, F_SETFL, changed) }
    }

    /// Reads what is there, up to the size of `buffer`; waits unless the descriptor is non-blocking.
    ///
    /// - Parameter buffer: At least one byte.
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> ReceiveResult {
        // A read of nothing returns zero, which would pass for the end of the stream.
        precondition(!buffer.isEmpty, "reads at least one byte")
        let raw = number.rawValue
        return try ReceiveResult.catching { () throws(SystemError) in
            try systemCall("read") { Glibc.read(raw, buffer.baseAddress, buffer.count) }
        }
    }

    /// Reads to the end of a small file, at most `limit` bytes.
    package borrowing func readToEnd(limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer throws(SystemError) in
            while bytes.count < limit, case .received(let count) = try read(into: buffer) {
                bytes.append(contentsOf: buffer.prefix(min(count, limit - bytes.count)))
            }
        }
        return bytes
    }
}
