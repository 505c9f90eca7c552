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
    /// The variable that marks the child as a worker, `NAME=value`.
    private(set) var mark: String?

    /// - Parameters:
    ///   - executable: A path; no search along PATH.
    ///   - arguments: All of them, the program's own name first.
    ///   - environment: What differs from this process's environment; nil removes a variable.
    package init(_ executable: String, arguments: [String], environment: [String: String?] = [:]) {
        self.executable = executable
        self.arguments = .list(arguments)
        self.environment = Environment(changing: environment)
    }

    private init(ownExecutable environment: Environment) {
        // The link and not what it points to: in the child it names the same inode, even
        // when an upgrade has replaced the file meanwhile.
        self.executable = "/proc/self/exe"
        self.arguments = .own
        self.environment = environment
        mark = "\(MP_WORKER_VARIABLE)=\(Self.firstPassedNumber)"
    }

    /// This program as a worker that serves the first descriptor passed to it, which has
    /// to be a stream socket.
    ///
    /// - Parameters:
    ///   - environment: What differs from this process's environment; nil removes a variable.
    ///   - inheriting: Whether the worker has this process's environment at all.
    package static func worker(environment: [String: String?] = [:], inheriting: Bool = true) -> Command {
        var changes = environment
        // A worker that this process is has been marked; its own workers get a mark of their own.
        changes[workerVariable] = .some(nil)
        // A backtrace takes seconds and can take a gigabyte; a worker's crash has to show at once.
        let isSet = environment.keys.contains("SWIFT_BACKTRACE") || (inheriting && getenv("SWIFT_BACKTRACE") != nil)
        if !isSet { changes["SWIFT_BACKTRACE"] = .some("enable=no") }
        return Command(ownExecutable: Environment(changing: changes, inheriting: inheriting))
    }

    /// The same worker, with settings that it applies to itself before it runs work.
    package func applying(_ settings: WorkerSettings) -> Command {
        var copy = self
        copy.mark = "\(MP_WORKER_VARIABLE)=\(Self.firstPassedNumber)\(settings.text)"
        return copy
    }

    /// What the variable that marks the child as a worker holds.
    var markValue: String? {
        mark.map { String($0.dropFirst(MP_WORKER_VARIABLE.utf8.count + 1)) }
    }

    /// The process from which such workers can be forked; see ``WorkerTemplate``.
    var asTemplate: Command {
        var copy = self
        copy.mark = "\(MP_WORKER_VARIABLE)=\(MP_TEMPLATE_MARK)"
        return copy
    }

    /// A worker that stops before it has anything of its own; see ``SpareWorker``.
    var asSpare: Command {
        var copy = self
        copy.mark = "\(MP_WORKER_VARIABLE)=\(MP_SPARE_MARK)"
        return copy
    }

    /// The value of one of this process's own variables, as its children would have it.
    package static func variable(_ name: String) -> String? { Environment.value(of: name) }

    /// The variable that marks a process as a worker, which is the library's alone.
    package static var workerVariable: String { MP_WORKER_VARIABLE }

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
