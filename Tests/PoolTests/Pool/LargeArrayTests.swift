import Glibc
import Multiprocessing
import TestSupport
import Testing

/// Arrays of numbers, which travel in their own memory when they are large.
@Suite(.admitted)
struct LargeArrayTests {
    private static func echo<Number: Codable & Sendable & Equatable>(_ numbers: [Number], _ pool: Pool) async throws {
        let back = try await pool.run(numbers) { $0 }
        let isSame = back == numbers
        #expect(isSame, "\(numbers.count) of \(Number.self)")
    }

    @Test("Arrays of every number, a little smaller and larger than what is large", arguments: TestBackend.allCases)
    func everyNumber(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in [0, 256 << 10, (256 << 10) + 16, 1_000_000] {
                try await Self.echo((0..<size).map { Int8(truncatingIfNeeded: $0) }, pool)
                try await Self.echo((0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) }, pool)
                try await Self.echo((0..<size / 2).map { Int16(truncatingIfNeeded: $0) }, pool)
                try await Self.echo((0..<size / 2).map { UInt16(truncatingIfNeeded: $0) }, pool)
                try await Self.echo((0..<size / 4).map { Int32(-$0) }, pool)
                try await Self.echo((0..<size / 4).map { UInt32($0) }, pool)
                try await Self.echo((0..<size / 8).map { Int64($0) << 40 }, pool)
                try await Self.echo((0..<size / 8).map { UInt64($0) << 40 }, pool)
                try await Self.echo((0..<size / 8).map { -$0 }, pool)
                try await Self.echo((0..<size / 8).map { UInt($0) }, pool)
                try await Self.echo((0..<size / 16).map { Int128($0) << 80 }, pool)
                try await Self.echo((0..<size / 16).map { UInt128($0) << 80 }, pool)
                try await Self.echo((0..<size / 4).map { Float($0) / 3 }, pool)
                try await Self.echo((0..<size / 8).map { Double($0) / 3 }, pool)
            }
        }
    }

    @Test("Sizes that need padding, and those around what a socket and a read take", arguments: TestBackend.allCases)
    func everySize(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in [262_143, 262_145, 262_159, 524_288, (1 << 20) - 1, (1 << 20) + 1, (4 << 20) + 3] {
                try await Self.echo((0..<size).map { UInt8(truncatingIfNeeded: $0 * 31 >> 3) }, pool)
            }
        }
    }

    @Test("An array becomes another, in synchronous and asynchronous work", arguments: TestBackend.allCases)
    func mixedTypes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = Array(0..<200_000)
            let doubles = try await pool.run(numbers) { $0.map { Double($0) } }
            #expect(doubles.count == 200_000 && doubles.last == 199_999)
            let small = try await pool.run(doubles) { numbers async -> [UInt8] in
                await Task.yield()
                return [UInt8(numbers.count / 1_000)]
            }
            #expect(small == [200])
            let large = try await pool.run(7) { number async -> [Int32] in
                await Task.yield()
                return Array(repeating: Int32(number), count: 300_000)
            }
            #expect(large.count == 300_000 && large.allSatisfy { $0 == 7 })
        }
    }

    @Test("Large and small arrays in turn, and items that throw between them", arguments: TestBackend.allCases)
    func inTurn(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let inputs = (0..<40).map { number in
                [UInt8](repeating: UInt8(number), count: number % 3 == 0 ? 10 : 300_000 + number)
            }
            for chunkSize in [1, 4] {
                let results = pool.results(inputs, chunkSize: chunkSize) { bytes in
                    if bytes[0] % 5 == 4 { throw CancellationError() }
                    return bytes + [1]
                }
                var index = 0
                for await result in results {
                    let expected = index % 5 == 4 ? nil : inputs[index] + [1]
                    let isExpected = (try? result.get()) == expected
                    #expect(isExpected, "item \(index) in chunks of \(chunkSize)")
                    index += 1
                }
                #expect(index == 40)
            }
        }
    }

    @Test("Large arrays that are shared, captured and in other values", arguments: TestBackend.allCases)
    func inOtherValues(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = Array(0..<100_000)
            let sums = try await pool.map(0..<4, with: numbers) { $0 + $1.reduce(0, +) }
            let sum = numbers.reduce(0, +)
            #expect(sums == [sum, sum + 1, sum + 2, sum + 3])
            let one = sums.count - 3
            let captured = try await pool.run(5) { $0 + numbers.count + one }
            #expect(captured == 100_006)
            let nested = try await pool.run([numbers, [], numbers]) { ["a": $0] }
            let isSame = nested == ["a": [numbers, [], numbers]]
            #expect(isSame)
            let optional: [Int]? = try await pool.run(numbers) { .some($0) }
            let isEqual = optional == numbers
            #expect(isEqual)
        }
    }

    @Test("215 no_stale_references: an array that was sent is let go", arguments: TestBackend.allCases)
    func release(_ backend: TestBackend) async throws {
        // The test's own tasks may have it for a moment longer; what is kept is kept each time.
        for _ in 0..<20 {
            if try await isLetGo(by: backend) { return }
        }
        Issue.record("an array was copied each time, because somebody has it")
    }

    private func isLetGo(by backend: TestBackend) async throws -> Bool {
        var numbers = Array(0..<500_000)
        let address = numbers.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let future = try await backend.withPool { [numbers] pool async throws in
            let future = pool.submit(numbers) { $0.count }
            #expect(try await future.value == 500_000)
            await pool.shutDown()
            return future
        }
        // A change in place: neither the pool nor the future needs the old numbers.
        numbers[0] = 1
        #expect(future.isFinished)
        return numbers.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } == address
    }

    @Test("Pitfall 26: a worker that waits keeps no large value")
    func releaseInWorker() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool async throws in
            let worker = try await pool.run { getpid() }
            _ = try await pool.run([UInt8](repeating: 1, count: 1 << 20)) { [$0] }
            let before = residentBytes(of: worker)
            let bytes = [UInt8](repeating: 7, count: 96 << 20)
            #expect(try await pool.run(bytes) { $0 }.count == 96 << 20)
            await expectSoon { residentBytes(of: worker) < before + 48 << 20 }
            let text = String(repeating: "x", count: 96 << 20)
            #expect(try await pool.run(text) { $0 }.utf8.count == 96 << 20)
            await expectSoon { residentBytes(of: worker) < before + 48 << 20 }
        }
    }

    /// How much memory a process has.
    private func residentBytes(of process: Int32) -> Int {
        guard let file = fopen("/proc/\(process)/statm", "re") else { return .max }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let fields = String(decoding: buffer[..<fread(&buffer, 1, 256, file)], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return .max }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
