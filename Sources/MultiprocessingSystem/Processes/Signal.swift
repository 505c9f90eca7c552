internal import Glibc

/// A signal's number, described by its name.
package struct Signal: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static var hangUp: Signal { Signal(rawValue: SIGHUP) }
    package static var interrupt: Signal { Signal(rawValue: SIGINT) }
    package static var illegalInstruction: Signal { Signal(rawValue: SIGILL) }
    package static var trap: Signal { Signal(rawValue: SIGTRAP) }
    package static var abort: Signal { Signal(rawValue: SIGABRT) }
    package static var kill: Signal { Signal(rawValue: SIGKILL) }
    package static var segmentationFault: Signal { Signal(rawValue: SIGSEGV) }
    package static var terminate: Signal { Signal(rawValue: SIGTERM) }
    package static var stop: Signal { Signal(rawValue: SIGSTOP) }
    package static var resume: Signal { Signal(rawValue: SIGCONT) }
}

extension Signal: CustomStringConvertible {
    /// The name, such as "SIGSEGV"; "signal 42" for one without a name.
    package var description: String {
        switch rawValue {
        case SIGHUP: "SIGHUP"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        case SIGILL: "SIGILL"
        case SIGTRAP: "SIGTRAP"
        case SIGABRT: "SIGABRT"
        case SIGBUS: "SIGBUS"
        case SIGFPE: "SIGFPE"
        case SIGKILL: "SIGKILL"
        case SIGUSR1: "SIGUSR1"
        case SIGSEGV: "SIGSEGV"
        case SIGUSR2: "SIGUSR2"
        case SIGPIPE: "SIGPIPE"
        case SIGALRM: "SIGALRM"
        case SIGTERM: "SIGTERM"
        case SIGSTKFLT: "SIGSTKFLT"
        case SIGCHLD: "SIGCHLD"
        case SIGCONT: "SIGCONT"
        case SIGSTOP: "SIGSTOP"
        case SIGTSTP: "SIGTSTP"
        case SIGTTIN: "SIGTTIN"
        case SIGTTOU: "SIGTTOU"
        case SIGURG: "SIGURG"
        case SIGXCPU: "SIGXCPU"
        case SIGXFSZ: "SIGXFSZ"
        case SIGVTALRM: "SIGVTALRM"
        case SIGPROF: "SIGPROF"
        case SIGWINCH: "SIGWINCH"
        case SIGIO: "SIGIO"
        case SIGPWR: "SIGPWR"
        case SIGSYS: "SIGSYS"
        default: "signal \(rawValue)"
        }
    }
}
