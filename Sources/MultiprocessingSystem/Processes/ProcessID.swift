internal import Glibc

/// The number of a process.
package struct ProcessID: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The calling process.
    package static var current: ProcessID { ProcessID(rawValue: getpid()) }
}

extension ProcessID: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
