import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("A crash while a value is decoded or encoded")
    struct CodingCrashTests {
        @Test(
            "An input whose init(from:) traps fails its item alone", arguments: [Crash.fatalError, .exitThree, .killed])
        func decoding(_ crash: Crash) async throws {
            try await TestBackend.processes.withPool { pool in
                let inputs = (0..<50).map { Fragile(index: $0, decoding: $0 == 23 ? crash : nil) }
                let results = await all(pool.results(inputs, chunkSize: 25) { $0.index })
                #expect(results.count == 50)
                crash.expect(results[23].failure)
                #expect(results.enumerated().allSatisfy { $0 == 23 || $1.success == $0 })

                crash.expect(await pool.submit(inputs[23]) { $0.index }.result.failure)
                let value = try await pool.run(inputs[24]) { $0.index }
                #expect(value == 24)
            }
        }

        @Test(
            "A result whose encode(to:) traps fails its item alone", arguments: [Crash.fatalError, .exitThree, .killed])
        func encoding(_ crash: Crash) async throws {
            try await TestBackend.processes.withPool { pool in
                let inputs = (0..<50).map { Plan(index: $0, crash: $0 == 23 ? crash : nil) }
                let results = await all(
                    pool.results(inputs, chunkSize: 25) { plan in Fragile(index: plan.index, encoding: plan.crash) })
                #expect(results.count == 50)
                crash.expect(results[23].failure)
                #expect(results.enumerated().allSatisfy { $0 == 23 || $1.success?.index == $0 })
            }
        }

        @Test("An error whose encode(to:) traps fails its item alone")
        func encodingError() async throws {
            try await TestBackend.processes.withPool { pool in
                let results = await all(
                    pool.results(0..<20, chunkSize: 10) { index -> Int in
                        if index == 7 { throw Fragile(index: index, encoding: .killed) }
                        return index
                    })
                Crash.killed.expect(results[7].failure)
                #expect(results.enumerated().allSatisfy { $0 == 7 || $1.success == $0 })
            }
        }

        @Test("A shared value whose init(from:) traps fails the call and not the pool")
        func decodingSharedValue() async throws {
            try await TestBackend.processes.withPool { pool in
                let error = await #expect(throws: PoolError.self) {
                    try await pool.map(0..<20, with: Fragile(index: 1, decoding: .killed), chunkSize: 5) {
                        $0 + $1.index
                    }
                }
                Crash.killed.expect(error)
                let sums = try await pool.map(0..<20, with: Fragile(index: 1)) { $0 + $1.index }
                #expect(sums == Array(1...20))
            }
        }

        private func all<S: AsyncSequence<Result<Output, any Error>, Never>, Output>(
            _ stream: S
        ) async -> [Result<Output, any Error>] {
            var results: [Result<Output, any Error>] = []
            for await result in stream { results.append(result) }
            return results
        }
    }
}

private struct Plan: Codable {
    let index: Int
    let crash: Crash?
}

/// A value that ends the worker process that decodes or encodes it; in the parent it does nothing.
private struct Fragile: Codable, Error {
    let index: Int
    var decoding: Crash?
    var encoding: Crash?

    private enum CodingKeys: CodingKey {
        case index
        case decoding
        case encoding
    }

    init(index: Int, decoding: Crash? = nil, encoding: Crash? = nil) {
        self.index = index
        self.decoding = decoding
        self.encoding = encoding
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        index = try container.decode(Int.self, forKey: .index)
        decoding = try container.decodeIfPresent(Crash.self, forKey: .decoding)
        encoding = try container.decodeIfPresent(Crash.self, forKey: .encoding)
        if Worker.current != nil { decoding?.happen() }
    }

    func encode(to encoder: any Encoder) throws {
        if Worker.current != nil { encoding?.happen() }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(index, forKey: .index)
        try container.encodeIfPresent(decoding, forKey: .decoding)
        try container.encodeIfPresent(encoding, forKey: .encoding)
    }
}
