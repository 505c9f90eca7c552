/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    case exited(Int32)
    case signaled(Signal)

    /// The kernel no longer knows: SIGCHLD is ignored, or other code in this program waited
    /// for every child and got this one.
    case unknown
}

extension ExitStatus: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "\(signal)"
        case .unknown: "unknown exit status"
        }
    }
}
