import Multiprocessing
import TestSupport
import Testing

/// Numbers that are as large as a caller can make them.
@Suite(.admitted)
struct LargeNumbersTests {
    static let sizes = [Int.max, .max - 1, .max / 2, .max / 2 + 1, 1 << 62, 1 << 33, 1 << 32, 1 << 31, (1 << 30) + 1]

    @Test("Any chunk size is right", arguments: TestBackend.allCases)
    func chunkSizes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in Self.sizes {
                #expect(try await pool.map([1, 2, 3], chunkSize: size) { $0 + 1 } == [2, 3, 4])
                #expect(try await pool.map(["a", "b"], chunkSize: size) { $0 + "!" } == ["a!", "b!"])
                #expect(try await pool.map([1, 2, 3], chunkSize: size) { number async in number + 1 } == [2, 3, 4])
                #expect(try await pool.map((1...3).lazy.map { $0 }, with: 1, chunkSize: size) { $0 + $1 } == [2, 3, 4])
                #expect(try await pool.map(zip(1...2, 3...4), chunkSize: size) { $0 + $1 } == [4, 6])
                try await pool.forEach([1, 2, 3], chunkSize: size) { _ in }
            }
        }
    }

    @Test("Any chunk size and any buffer of a stream are right", arguments: TestBackend.allCases)
    func streams(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in Self.sizes {
                var values: [Int] = []
                for try await value in pool.stream(1...20, chunkSize: size, { $0 }) { values.append(value) }
                for try await value in pool.stream(21...40, buffer: size, { $0 }) { values.append(value) }
                for await result in pool.results(41...60, chunkSize: size, buffer: size, { $0 }) {
                    values.append(try result.get())
                }
                let numbers = AsyncNumbers(count: 20)
                for try await value in pool.stream(numbers, chunkSize: size, buffer: 1, { $0 + 61 }) {
                    values.append(value)
                }
                #expect(values == Array(1...80))
            }
        }
    }

    @Test("An item that fails in a chunk of any size fails alone", arguments: TestBackend.allCases)
    func failures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in Self.sizes {
                var succeeded = 0
                for await result in pool.results(1...10, chunkSize: size, { try onlyEven($0) }) {
                    if case .success = result { succeeded += 1 }
                }
                #expect(succeeded == 5)
            }
        }
    }

    @Test("A pool with too many workers is refused, whatever the number", arguments: TestBackend.allCases)
    func workers(_ backend: TestBackend) {
        for count in Self.sizes + [65_537, 0, -1, .min] {
            #expect { try Pool(backend.backend, workers: count) } throws: { error in
                (error as? PoolError)?.code == .invalidArgument
            }
        }
    }

    @Test("Sizes below one are refused, whatever the number", arguments: TestBackend.allCases)
    func tooSmall(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in [0, -1, Int.min, .min + 1] {
                await #expect { try await pool.map([1], chunkSize: size) { $0 } } throws: { error in
                    (error as? PoolError)?.code == .invalidArgument
                }
                await #expect {
                    for try await _ in pool.stream([1], buffer: size, { $0 }) {}
                } throws: { error in
                    (error as? PoolError)?.code == .invalidArgument
                }
            }
        }
    }
}

private struct Odd: Error, Codable {}

private func onlyEven(_ number: Int) throws -> Int {
    if number % 2 != 0 { throw Odd() }
    return number
}
