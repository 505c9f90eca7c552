internal import Glibc

/// The descriptors 0, 1 and 2, which programs take for their standard streams without asking.
package enum StandardStreams {
    /// Opens `/dev/null` under those of the three numbers that are closed.
    ///
    /// Otherwise the next descriptor that anybody opens gets such a number, and whoever prints writes into it.
    package static func fillClosed() {
        // The lowest free number is given out first; one that lies above the three is not wanted.
        while true {
            let descriptor = Glibc.open("/dev/null", O_RDWR)
            if descriptor > STDERR_FILENO { close(descriptor) }
            if descriptor < 0 || descriptor > STDERR_FILENO { return }
        }
    }

    /// Opens a standard input in which there is nothing to read.
    static func openEmpty() throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor.open("/dev/null")
        } catch {
            // A `chroot` or container without devices: the end of a pipe that nobody writes to reads the same.
            guard error.errno == .noSuchFile || error.errno == .permissionDenied else { throw error }
            return try PipePair().takeReadEnd()
        }
    }
}
