import Multiprocessing

/// How long a message takes there and back between two processes that wait for each other.
struct Messages: Measurement {
    let name = "connection"
    let summary: String
    private let count: Int

    private static let size = 64

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        summary = "64 bytes over a Connection to another process and back, \(count) times; time of each"
    }

    var figures: [Figure] {
        [
            Figure(detail: "blocking", unit: .microseconds(per: count), peerCommand: "connection \(count)"),
            Figure(detail: "async", unit: .microseconds(per: count)),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let (left, right) = try Connection<[UInt8], [UInt8]>.pair()
        let child = try ChildProcess(.ping)
        return [
            duet.contestant { [try await blocking(duet, left, right), try await async(duet, left, right)] },
            Duet.floor("64 bytes over a socket pair") {
                let seconds = try SocketPingPong.run(child.socket, count)
                return [seconds, seconds]
            }
            .closing { child.end() },
        ]
    }

    typealias End = Connection<[UInt8], [UInt8]>

    private func blocking(_ duet: Duet, _ left: End, _ right: End) async throws -> Double {
        let (start, count, size) = (duet.start, count, Self.size)
        let caller = duet.pool.submit {
            var bytes = [UInt8](repeating: 1, count: size)
            return try start.time {
                for _ in 0..<count {
                    try left.send(bytes)
                    bytes = try left.receive()
                }
                return bytes.count
            }
        }
        let echo = duet.pool.submit {
            try start.time {
                for _ in 0..<count { try right.send(try right.receive()) }
                return 0
            }
        }
        let part = try await duet.join(caller, echo)
        try check(part.sum, size)
        return part.seconds
    }

    private func async(_ duet: Duet, _ left: End, _ right: End) async throws -> Double {
        let (start, count, size) = (duet.start, count, Self.size)
        let caller = duet.pool.submit {
            var bytes = [UInt8](repeating: 1, count: size)
            return try await start.time {
                for _ in 0..<count {
                    try await left.send(bytes)
                    bytes = try await left.receive()
                }
                return bytes.count
            }
        }
        let echo = duet.pool.submit {
            try await start.time {
                for _ in 0..<count { try await right.send(try await right.receive()) }
                return 0
            }
        }
        let part = try await duet.join(caller, echo)
        try check(part.sum, size)
        return part.seconds
    }
}
