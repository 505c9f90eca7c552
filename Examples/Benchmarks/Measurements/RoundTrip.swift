import Dispatch
import Glibc
import Multiprocessing

/// How long one item takes there and back, when nothing else is going on.
struct RoundTrip: Measurement {
    let name = "round-trip"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        summary = "run() of a trivial closure with a number, \(count) one after another; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: count), peerCommand: "round-trip \(count)")]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                var sum = 0
                for number in 0..<count { sum += try await pool.run(number) { $0 + 1 } }
                let seconds = watch.seconds
                try check(sum, count * (count + 1) / 2)
                return [seconds]
            }
        } + [pingPong(), dispatchHop()]
    }

    /// What a process cannot beat with a socket and blocking calls.
    private func pingPong() throws -> Contestant {
        let child = try ChildProcess(.ping)
        return Contestant("64 bytes over a socket pair", .floor, [.processes]) {
            var message = [UInt8](repeating: 0, count: 64)
            let watch = Stopwatch()
            try message.withUnsafeMutableBytes { bytes in
                for number in 0..<count {
                    bytes.storeBytes(of: number, as: Int.self)
                    try child.socket.send(UnsafeRawBufferPointer(bytes))
                    bytes.storeBytes(of: -1, as: Int.self)
                    guard try child.socket.receive(bytes) else { throw SystemFailure("the ping-pong", code: EPIPE) }
                    try check(bytes.load(as: Int.self), number)
                }
            }
            return [watch.seconds]
        }
        .closing { child.end() }
    }

    /// What a thread cannot beat if the caller is asynchronous.
    private func dispatchHop() -> Contestant {
        let queue = DispatchQueue(label: "benchmarks.hop")
        return Contestant("Dispatch queue and continuation", .floor, [.threads]) {
            let watch = Stopwatch()
            var sum = 0
            for number in 0..<count {
                sum += await withCheckedContinuation { continuation in
                    queue.async { continuation.resume(returning: number + 1) }
                }
            }
            let seconds = watch.seconds
            try check(sum, count * (count + 1) / 2)
            return [seconds]
        }
    }
}
