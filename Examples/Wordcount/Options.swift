import Glibc
import Multiprocessing

/// What the command line asked for.
struct Options {
    /// Where the work runs.
    enum Mode: String {
        case threads
        case processes
        /// Without a pool, one portion after the other.
        case serial
    }

    static let usage = """
        usage: wordcount [--backend threads|processes] [--workers N] [--top N] [--serial] [PATH ...]
        """

    var mode = Mode.processes
    /// One for each usable core if left out.
    var workers: Int?
    /// How many words to print.
    var top = 20
    var paths: [Path] = []

    /// The backend, unless the work is done without a pool.
    var backend: (any Backend)? {
        switch mode {
        case .threads: .threads
        case .processes: .processes
        case .serial: nil
        }
    }

    /// - Throws: ``Misuse`` for a command line that makes no sense.
    init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "--backend":
                guard let mode = arguments.popFirst().flatMap(Mode.init), mode != .serial else {
                    throw Misuse(reason: "--backend takes threads or processes")
                }
                self.mode = mode
            case "--workers":
                workers = try Self.number(argument, arguments.popFirst(), atLeast: 1)
            case "--top":
                top = try Self.number(argument, arguments.popFirst(), atLeast: 0)
            case "--serial":
                mode = .serial
            case "--":
                paths += arguments.map(Path.init)
                arguments = []
            case _ where argument.hasPrefix("-"):
                throw Misuse(reason: "there is no option \(argument)")
            default:
                paths.append(Path(argument))
            }
        }
        if paths.isEmpty { paths = [Path(".")] }
    }

    private static func number(_ option: String, _ text: String?, atLeast minimum: Int) throws -> Int {
        guard let number = text.flatMap({ Int($0) }), number >= minimum else {
            throw Misuse(reason: "\(option) takes a number, at least \(minimum)")
        }
        return number
    }
}

/// A command line that makes no sense.
struct Misuse: Error {
    let reason: String
}
