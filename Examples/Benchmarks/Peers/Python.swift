import Glibc

/// The Python of this machine, with those of its pools that are installed.
final class Python: CustomStringConvertible {
    let description: String
    let peers: [Peer]
    private let script: String

    /// nil if there is none.
    init?() {
        let script = "/tmp/multiprocessing-peers-\(getpid()).py"
        let program = getenv("PYTHON").map { String(cString: $0) } ?? "python3"
        do {
            try TextFile.write(PeerScript.text, to: script)
            let lister = try ChildProcess(program, [script, "list"])
            defer { lister.end() }
            // The first line is the version, the second the real program behind wrappers of it.
            guard let version = try lister.socket.receiveLine(), let path = try lister.socket.receiveLine() else {
                unlink(script)
                return nil
            }
            var peers: [Peer] = []
            var absent: [String] = []
            while let line = try lister.socket.receiveLine() {
                let words = line.split(separator: ":").map(String.init)
                if words.count == 3, let backend = MeasuredBackend(rawValue: words[1]) {
                    peers.append(try Peer(words[2], backend, path, script))
                } else {
                    absent.append(words[words.count - 1])
                }
            }
            let missing = absent.isEmpty ? "" : "; not installed: \(absent.joined(separator: ", "))"
            description = "peers: Python \(version)\(missing)"
            self.peers = peers
            self.script = script
        } catch {
            unlink(script)
            return nil
        }
    }

    func close() {
        peers.forEach { $0.end() }
        unlink(script)
    }
}
