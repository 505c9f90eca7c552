internal import Glibc

/// An error number of the kernel or of glibc.
package struct Errno: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The calling thread's `errno`; valid only right after the call that set it.
    package static var current: Errno {
        Errno(rawValue: Glibc.errno)
    }
}

extension Errno {
    package static var badDescriptor: Errno { Errno(rawValue: EBADF) }
    package static var brokenPipe: Errno { Errno(rawValue: EPIPE) }
    package static var canceled: Errno { Errno(rawValue: ECANCELED) }
    package static var connectionAborted: Errno { Errno(rawValue: ECONNABORTED) }
    package static var connectionRefused: Errno { Errno(rawValue: ECONNREFUSED) }
    package static var connectionReset: Errno { Errno(rawValue: ECONNRESET) }
    package static var interrupted: Errno { Errno(rawValue: EINTR) }
    package static var fileTooLarge: Errno { Errno(rawValue: EFBIG) }
    package static var invalidArgument: Errno { Errno(rawValue: EINVAL) }
    package static var addressInUse: Errno { Errno(rawValue: EADDRINUSE) }
    package static var alreadyInProgress: Errno { Errno(rawValue: EINPROGRESS) }
    package static var nameTooLong: Errno { Errno(rawValue: ENAMETOOLONG) }
    package static var noSuchAddress: Errno { Errno(rawValue: EADDRNOTAVAIL) }
    package static var noChild: Errno { Errno(rawValue: ECHILD) }
    package static var noMemory: Errno { Errno(rawValue: ENOMEM) }
    package static var noSuchCall: Errno { Errno(rawValue: ENOSYS) }
    package static var tooManyProcesses: Errno { Errno(rawValue: EUSERS) }
    package static var noSuchFile: Errno { Errno(rawValue: ENOENT) }
    package static var noSuchProcess: Errno { Errno(rawValue: ESRCH) }
    package static var notDirectory: Errno { Errno(rawValue: ENOTDIR) }
    package static var notPermitted: Errno { Errno(rawValue: EPERM) }
    package static var notSupported: Errno { Errno(rawValue: EOPNOTSUPP) }
    package static var permissionDenied: Errno { Errno(rawValue: EACCES) }
    package static var timedOut: Errno { Errno(rawValue: ETIMEDOUT) }
    package static var messageTooLong: Errno { Errno(rawValue: EMSGSIZE) }
    /// Too many descriptors are on their way through sockets (more than RLIMIT_NOFILE).
    package static var tooManyReferences: Errno { Errno(rawValue: ETOOMANYREFS) }
    package static var tooManyFilesInSystem: Errno { Errno(rawValue: ENFILE) }
    package static var tooManyOpenFiles: Errno { Errno(rawValue: EMFILE) }
    package static var wouldBlock: Errno { Errno(rawValue: EAGAIN) }
}

extension Errno: CustomStringConvertible {
    /// The text of `strerror_r`, such as "No such file or directory".
    package var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(rawValue, base, buffer.count) == 0 else {
                return "Unknown error \(rawValue)"
            }
            return String(cString: base)
        }
    }
}
