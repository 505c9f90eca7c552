import Glibc
import Multiprocessing

/// What the command line asked for.
struct Options {
    /// The backends to show, one after the other.
    var backends: [any Backend] = [.threads, .processes]
    var workers = 2

    /// Reads the command line; one that makes no sense ends the program.
    init(_ arguments: some Sequence<String>) {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch (argument, arguments.next()) {
            case ("--backend", "threads"): backends = [.threads]
            case ("--backend", "processes"): backends = [.processes]
            case ("--workers", let count?) where Int(count) ?? 0 > 0: workers = Int(count)!
            default:
                print("usage: quickstart [--backend threads|processes] [--workers N]")
                exit(2)
            }
        }
    }
}
