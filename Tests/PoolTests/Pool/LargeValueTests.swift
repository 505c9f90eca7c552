import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// Values that fit no buffer on their way.
@Suite(.admitted)
struct LargeValueTests {
    @Test("Pitfall 24: large inputs and outputs at the same time, in both directions", arguments: TestBackend.allCases)
    func bothDirections(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            // Each chunk of inputs is larger than all buffers together, and so is each chunk of outputs.
            var count = 0
            let inputs = (0..<16).lazy.map { [UInt8](repeating: UInt8($0), count: 4 << 20) }
            for try await output in pool.stream(inputs, chunkSize: 2, buffer: 8, { $0 + $0 }) {
                #expect(output.count == 8 << 20)
                #expect(output.first == UInt8(count))
                count += 1
            }
            #expect(count == 16)
        }
    }

    @Test("Pitfall 24: many large items are submitted before any is taken", arguments: TestBackend.allCases)
    func manyAtOnce(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let futures = (0..<12).map { number in
                pool.submit([UInt8](repeating: UInt8(number), count: 2 << 20)) { [$0, $0] }
            }
            for (number, future) in futures.enumerated() {
                let value = try await future.value
                #expect(value.map(\.count) == [2 << 20, 2 << 20])
                #expect(value[1].last == UInt8(number))
            }
        }
    }

    @Test("Pitfall 21: a value of tens of megabytes is one item as any other", arguments: TestBackend.allCases)
    func tensOfMegabytes(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool async throws in
            let numbers = Array(0..<(2 << 20))
            let (echo, count) = try await pool.run(numbers) { ($0, $0.count) }
            let isEqual = echo == numbers
            #expect(isEqual)
            #expect(count == 2 << 20)
        }
    }

    @Test("Pitfall 23: ten thousand submissions from many threads at once", arguments: TestBackend.allCases)
    func manySubmitters(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await onBlockableThread {
                            let futures = (0..<1_000).map { pool.submit($0) { $0 } }
                            return try futures.reduce(0) { try $0 + $1.wait() }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 10 * (0..<1_000).reduce(0, +))
        }
    }

    @Test("A large value in a structure fails alone when the parent has no memory for its copy")
    func shortParent() async throws {
        try await withLimit {
            let probe = try ProbeProcess("short")
            #expect(try await probe.remainingLines() == ["notPortable true", "next 2"])
            #expect(try await probe.exitStatus() == .exited(0))
        }
    }
}
