import Multiprocessing

/// What the command line asked for.
struct Options {
    static let usage = """
        usage: tour [--backend threads|processes] [--short] [ARTICLE|PROGRAM ...]
               tour --list
        """

    /// The backends to show each program on, one after the other.
    var backends: [any Backend] = [.threads, .processes]
    /// Whether only to see that all of it works: with little to do, and short waits.
    var isShort = false
    /// Whether only to say what there is.
    var isList = false
    /// The articles and programs to show; all if it is empty.
    private var wanted: Set<String> = []

    /// - Throws: ``Misuse`` for a command line that makes no sense.
    init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "--backend":
                switch arguments.popFirst() {
                case "threads": backends = [.threads]
                case "processes": backends = [.processes]
                default: throw Misuse(reason: "--backend takes threads or processes")
                }
            case "--short": isShort = true
            case "--list": isList = true
            case _ where argument.hasPrefix("-"): throw Misuse(reason: "there is no option \(argument)")
            default:
                guard Self.names.contains(argument) else {
                    throw Misuse(reason: "there is no article or program \(argument); --list says which there are")
                }
                wanted.insert(argument)
            }
        }
    }

    func wants(_ program: any Program.Type, of article: Article) -> Bool {
        wanted.isEmpty || wanted.contains(article.name) || wanted.contains(program.name)
    }

    private static var names: Set<String> {
        Set(Article.all.flatMap { [$0.name] + $0.programs.map { $0.name } })
    }
}

/// A command line that makes no sense.
struct Misuse: Error {
    let reason: String
}
