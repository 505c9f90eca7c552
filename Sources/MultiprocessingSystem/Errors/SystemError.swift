/// A call to the kernel that failed: which call, and why.
package struct SystemError: Error, Hashable, Sendable {
    package let errno: Errno

    /// The call that failed, such as "posix_spawn", or the call with its object.
    package let operation: String

    package init(_ errno: Errno, _ operation: String) {
        self.errno = errno
        self.operation = operation
    }
}

extension SystemError: CustomStringConvertible {
    package var description: String {
        "\(operation): \(errno) (errno \(errno.rawValue))"
    }
}
