import Glibc

/// What the command line asked for.
struct Options {
    static let usage = """
        usage: benchmarks [--only NAME ...] [--peers] [--json FILE] [--svg FILE] [--quick] [--rounds N]

          --only NAME ...  only these measurements, separated by spaces or commas
          --peers          Python's pools beside ours; PYTHON names the program, python3 if it is not set
          --json FILE      writes the figures to a file
          --svg FILE       writes a chart to a file
          --quick          little work, to see that everything runs; the figures mean nothing
          --rounds N       how often each is run, 5 without it and 2 with --quick

        measurements: \(Catalog.names.joined(separator: ", "))
        """

    /// In the order in which they run.
    private(set) var measurements: [any Measurement] = []
    private(set) var peers = false
    private(set) var json: String?
    private(set) var svg: String?
    private(set) var rounds = 5
    private(set) var wantsHelp = false

    /// - Throws: ``Misuse`` for a command line that makes no sense.
    init(_ arguments: [String]) throws(Misuse) {
        var arguments = arguments[...]
        var only: [String] = []
        var effort = Effort.full
        var rounds: Int?
        while let argument = arguments.popFirst() {
            switch argument {
            case "--help", "-h":
                wantsHelp = true
            case "--only":
                only += try Self.names(&arguments)
            case "--peers":
                peers = true
            case "--json":
                json = try Self.value(argument, "a file", &arguments)
            case "--svg":
                svg = try Self.value(argument, "a file", &arguments)
            case "--quick":
                effort = .quick
            case "--rounds":
                rounds = Int(try Self.value(argument, "a number", &arguments))
                guard let rounds, rounds >= 1 else { throw Misuse("--rounds takes a number, at least 1") }
            default:
                throw Misuse("there is no option \(argument); --help lists what there is")
            }
        }
        self.rounds = rounds ?? (effort == .quick ? 2 : 5)
        measurements = Catalog.all(effort).filter { only.isEmpty || only.contains($0.name) }
    }

    private static func value(
        _ option: String, _ what: String, _ arguments: inout ArraySlice<String>
    ) throws(Misuse) -> String {
        guard let value = arguments.popFirst(), !value.isEmpty, !value.hasPrefix("--") else {
            throw Misuse("\(option) takes \(what) behind it")
        }
        return value
    }

    private static func names(_ arguments: inout ArraySlice<String>) throws(Misuse) -> [String] {
        var names: [String] = []
        while let argument = arguments.first, !argument.hasPrefix("-") {
            names += argument.split(separator: ",").map(String.init)
            arguments.removeFirst()
        }
        let list = Catalog.names.joined(separator: ", ")
        if let unknown = names.first(where: { !Catalog.names.contains($0) }) {
            throw Misuse("--only \(unknown): there is no such measurement; there are \(list)")
        }
        guard !names.isEmpty else { throw Misuse("--only takes names behind it: \(list)") }
        return names
    }
}
