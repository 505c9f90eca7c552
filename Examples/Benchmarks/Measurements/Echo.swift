import Multiprocessing

/// How fast many bytes get to a worker and back.
struct Echo: Measurement {
    let name = "echo"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(64 << 20, quick: 1 << 20)
        summary = "run() with \(count >> 20) MiB of bytes that come back; on threads nothing is copied"
    }

    var figures: [Figure] {
        [Figure(unit: .milliseconds, peerCommand: "echo \(count)")]
    }

    func contestants() throws -> [Contestant] {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let back = try await pool.run(bytes) { $0 }
                let seconds = watch.seconds
                try check(back == bytes, true)
                return [seconds]
            }
        } + [socketPair(bytes)]
    }

    /// The same bytes through a socket, into and from memory that is there already.
    private func socketPair(_ bytes: [UInt8]) throws -> Contestant {
        let child = try ChildProcess(.stream(count))
        var back = [UInt8](repeating: 1, count: count)
        return Contestant("socket pair, prepared buffers", .floor, [.processes]) {
            let watch = Stopwatch()
            try bytes.withUnsafeBytes { try child.socket.send($0) }
            let isComplete = try back.withUnsafeMutableBytes { try child.socket.receive($0) }
            let seconds = watch.seconds
            try check(isComplete && back == bytes, true)
            return [seconds]
        }
        .closing { child.end() }
    }
}
