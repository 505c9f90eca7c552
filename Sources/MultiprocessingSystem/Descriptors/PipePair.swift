internal import CMultiprocessing

/// A pipe, both ends close-on-exec.
package struct PipePair: ~Copyable, Sendable {
    package let readEnd: FileDescriptor
    package let writeEnd: FileDescriptor

    /// Makes a pipe whose ends both block.
    package init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        try systemCall("pipe2") {
            withUnsafeMutableBytes(of: &ends) { mp_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        }
        readEnd = FileDescriptor(adopting: ends.0)
        writeEnd = FileDescriptor(adopting: ends.1)
    }

    /// Closes the write end and hands out the read end.
    package consuming func takeReadEnd() -> FileDescriptor {
        readEnd
    }
}
