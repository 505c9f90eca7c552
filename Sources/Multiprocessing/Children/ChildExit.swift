import MultiprocessingSystem

/// How a ``ChildProcess`` came to its end.
public enum ChildExit: Hashable, Sendable {
    /// The closure or the job returned.
    case returned

    /// The closure or the job threw an error, or `CancellationError` because it was cancelled.
    case threw

    /// The process ended with this code, by `exit`, before what it ran had ended.
    case exited(Int32)

    /// This signal ended the process, for example 9 for `SIGKILL`, before what it ran had ended.
    case signaled(Int32)

    /// Nobody learned the end: the process never started, or a thread was given up by ``ChildProcess/kill()``.
    case abandoned
}

extension ChildExit {
    /// The end of a process that did not live to see that of its work.
    init(_ death: PoolError) {
        if let signal = death.signal {
            self = .signaled(signal)
        } else if let code = death.exitCode {
            self = .exited(code)
        } else {
            self = .abandoned
        }
    }
}

extension ChildExit: CustomStringConvertible {
    /// As a person would say it, such as "was ended by SIGKILL".
    public var description: String {
        switch self {
        case .returned: "returned"
        case .threw: "threw an error"
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let signal): "was ended by \(Signal(rawValue: signal))"
        case .abandoned: "was abandoned"
        }
    }
}
