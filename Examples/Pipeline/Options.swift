import Multiprocessing

/// What the command line asked for.
struct Options {
    static let usage = "usage: pipeline [--backend threads|processes] [--producers N] [--consumers N] [PATH ...]"

    var backend: any Backend = .processes
    var isOnProcesses = true
    var producers = 2
    var consumers = 3
    var paths: [String] = []

    /// - Throws: ``Misuse`` for a command line that makes no sense.
    init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "--backend":
                switch arguments.popFirst() {
                case "threads": (backend, isOnProcesses) = (.threads, false)
                case "processes": (backend, isOnProcesses) = (.processes, true)
                default: throw Misuse(reason: "--backend takes threads or processes")
                }
            case "--producers": producers = try Self.number(argument, arguments.popFirst())
            case "--consumers": consumers = try Self.number(argument, arguments.popFirst())
            case _ where argument.hasPrefix("-"): throw Misuse(reason: "there is no option \(argument)")
            default: paths.append(argument)
            }
        }
        if paths.isEmpty { paths = ["Sources"] }
    }

    private static func number(_ option: String, _ text: String?) throws -> Int {
        guard let number = text.flatMap({ Int($0) }), number >= 1 else {
            throw Misuse(reason: "\(option) takes a number, at least 1")
        }
        return number
    }
}

/// A command line that makes no sense.
struct Misuse: Error {
    let reason: String
}
