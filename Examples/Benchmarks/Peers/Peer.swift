/// One of Python's pools, in a Python process of its own that does one measurement when told to.
final class Peer {
    let name: String
    private let backend: MeasuredBackend
    private let process: ChildProcess

    /// - Parameter python: The program that runs the script.
    init(_ name: String, _ backend: MeasuredBackend, _ python: String, _ script: String) throws(SystemFailure) {
        self.name = name
        self.backend = backend
        process = try ChildProcess(python, ["-W", "ignore", script, name])
    }

    /// A contestant that runs the command of each figure that has one.
    func contestant(_ figures: [Figure]) -> Contestant {
        Contestant(name, .peer, [backend]) { [self] in
            try figures.map { figure in try figure.peerCommand.map { try run("run " + $0) } }
        }
        .warming { [self] in
            // A peer that cannot do one of them is left out of all, so that rows compare alike.
            for command in figures.compactMap(\.peerCommand) { _ = try run("warm " + command) }
        }
        .closing { [self] in _ = try? run("close") }
    }

    func end() {
        process.end()
    }

    /// Sends a command and waits for its answer, in seconds.
    private func run(_ command: String) throws -> Double {
        try process.socket.send(line: command)
        guard let answer = try process.socket.receiveLine() else {
            throw Skip(reason: "Python ended on the command \(command)")
        }
        if let seconds = Double(answer) { return seconds }
        guard answer.hasPrefix("skip") else {
            throw WrongResult(description: "\(name): \(answer) on the command \(command)")
        }
        let reason = answer.dropFirst("skip ".count)
        throw Skip(reason: reason.isEmpty ? nil : String(reason))
    }
}
