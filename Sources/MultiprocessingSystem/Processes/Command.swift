internal import CMultiprocessing
internal import Glibc

/// A program with its arguments and its environment, ready to be started.
///
/// The environment is that of the moment at which the command was made, on the thread that made it.
package struct Command: Sendable {
    enum Arguments: Sendable {
        /// The arguments that this process was started with, byte for byte.
        case own
        case list([String])
    }

    let executable: String
    let arguments: Arguments
    let environment: Environment

    /// - Parameters:
    ///   - executable: A path; no search along PATH.
    ///   - arguments: All of them, the program's own name first.
    ///   - environment: What differs from this process's environment; nil removes a variable.
    package init(_ executable: String, arguments: [String], environment: [String: String?] = [:]) {
        self.executable = executable
        self.arguments = .list(arguments)
        self.environment = Environment(changing: environment)
    }

    private init(ownExecutable: Void, environment: [String: String?]) {
        // The link and not what it points to: in the child it names the same inode, even
        // when an upgrade has replaced the file meanwhile.
        self.executable = "/proc/self/exe"
        self.arguments = .own
        self.environment = Environment(changing: environment)
    }

    /// This program as a worker that serves the first descriptor passed to it, which has
    /// to be a stream socket.
    ///
    /// - Parameter environment: What differs from this process's environment; nil removes a variable.
    package static func worker(environment: [String: String?] = [:]) -> Command {
        var changes = environment
        changes[MP_WORKER_VARIABLE] = .some(String(Self.firstPassedNumber))
        // A backtrace takes seconds and can take a gigabyte; a worker's crash has to show at once.
        if getenv("SWIFT_BACKTRACE") == nil, environment["SWIFT_BACKTRACE"] == nil {
            changes["SWIFT_BACKTRACE"] = .some("enable=no")
        }
        return Command(ownExecutable: (), environment: changes)
    }

    /// Whether ``worker(environment:)`` names another program, because this one was started as an
    /// argument of the dynamic loader.
    package static var isRunByLoader: Bool { mp_is_run_by_loader() }

    /// The number under which the child finds the first descriptor that is passed to it.
    package static var firstPassedNumber: Int32 { 3 }

    func argumentList() -> CStringList {
        switch arguments {
        case .list(let strings):
            return CStringList(strings)
        case .own:
            var list = CStringList()
            for index in 0..<Int(CommandLine.argc) {
                if let argument = CommandLine.unsafeArgv[index] {
                    list.append(argument)
                }
            }
            return list
        }
    }
}
