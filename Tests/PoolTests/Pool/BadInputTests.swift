import Multiprocessing
import TestSupport
import Testing

private struct Trouble: Error, Codable, CustomStringConvertible {
    var description: String { "the trouble is Trouble" }
}

private struct Unencodable: Codable, Sendable {
    var number = 0

    init(number: Int = 0) { self.number = number }

    init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
    }

    func encode(to encoder: any Encoder) throws {
        if number % 2 == 0 { throw Trouble() }
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

private struct Undecodable: Codable, Sendable {
    var number = 0

    init(number: Int = 0) { self.number = number }

    init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        if number % 2 == 0 { throw Trouble() }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

/// Fails to be decoded in the parent only.
private struct UndecodableByParent: Codable, Sendable {
    var number = 0

    init(number: Int = 0) { self.number = number }

    init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        if Worker.current == nil { throw Trouble() }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

private struct UnencodableError: Error, Codable, CustomStringConvertible {
    func encode(to encoder: any Encoder) throws { throw Trouble() }

    var description: String { "an error that does not travel" }
}

private struct UndecodableError: Error, Codable, CustomStringConvertible {
    init() {}

    init(from decoder: any Decoder) throws { throw Trouble() }

    func encode(to encoder: any Encoder) throws {}

    var description: String { "an error that does not arrive" }
}

private struct NotCodable: Sendable {
    var number = 0
}

private final class Resource: Sendable {
    let number = 5
}

private func square(_ number: Int) -> Int { number * number }

/// Bad input is a clear error, before any work starts where that can be.
@Suite(.admitted)
struct BadInputTests {
    private func expectError(
        _ code: PoolError.Code,
        _ parts: String...,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        let error = await #expect(throws: PoolError.self, sourceLocation: sourceLocation) { try await body() }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        for part in parts {
            #expect(
                error?.message.contains(part) == true, "\(error?.message ?? "") lacks \(part)",
                sourceLocation: sourceLocation)
        }
    }

    // MARK: Numbers

    @Test("A backend that is not the library's is refused before anything starts")
    func foreignBackend() {
        struct Elsewhere: Backend {
            let needsPortableWork = true
        }
        let error = #expect(throws: PoolError.self) { try Pool(Elsewhere()) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("Elsewhere") ?? false, "\(String(describing: error))")
        #expect(error?.message.contains(".threads or .processes") ?? false, "\(String(describing: error))")
    }

    @Test(
        "172 make_pool, 216 max_workers_negative: zero or negative workers are refused",
        arguments: TestBackend.allCases, [0, -1, Int.min])
    func workers(_ backend: TestBackend, count: Int) async throws {
        await expectError(.invalidArgument, "workers is \(count)", "at least 1 worker") {
            _ = try Pool(backend.backend, workers: count)
        }
        await expectError(.invalidArgument, "workers is \(count)") {
            try await withPool(backend.backend, workers: count) { _ in _ = Issue.record("there was a pool") }
        }
    }

    @Test("No size is refused, nor one that no system has room for; nothing is lost", arguments: TestBackend.allCases)
    func resize(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let futures = (0..<200).map { number in pool.submit(number) { $0 } }
            for (count, rule) in [
                (0, "at least 1 worker"), (-1, "at least 1 worker"), (.min, "at least 1 worker"),
                (65_537, "at most 65536"), (.max, "at most 65536"),
            ] {
                await expectError(.invalidArgument, "workers is \(count)", rule) { try pool.resize(to: count) }
                #expect(pool.workerCount == 2)
            }
            for (number, future) in futures.enumerated() { #expect(try await future.value == number) }
            #expect(pool.statistics.workersStarted <= 2)
        }
    }

    @Test("222 map_chunksize: zero or negative chunk sizes are refused", arguments: TestBackend.allCases, [0, -1])
    func chunkSize(_ backend: TestBackend, size: Int) async throws {
        try await backend.withPool { pool async throws in
            let numbers = CountedNumbers()
            await expectError(.invalidArgument, "chunkSize is \(size)", "at least 1 item") {
                _ = try await pool.map(numbers, chunkSize: size) { $0 }
            }
            await expectError(.invalidArgument, "chunkSize is \(size)") {
                try await pool.forEach(numbers, chunkSize: size) { _ in }
            }
            await expectError(.invalidArgument, "chunkSize is \(size)") {
                for try await _ in pool.stream(numbers, chunkSize: size, { $0 }) {}
            }
            var results: [Result<Int, any Error>] = []
            for await result in pool.results(numbers, chunkSize: size, { $0 }) { results.append(result) }
            #expect(results.count == 1)
            await expectError(.invalidArgument, "chunkSize is \(size)") { _ = try results[0].get() }
            #expect(numbers.counter.count == 0)
        }
    }

    @Test(
        "213 map_buffersize_validation: zero or negative buffers are refused", arguments: TestBackend.allCases, [0, -1])
    func buffer(_ backend: TestBackend, size: Int) async throws {
        try await backend.withPool { pool async throws in
            let numbers = CountedNumbers()
            await expectError(.invalidArgument, "buffer is \(size)", "at least 1 item") {
                for try await _ in pool.stream(numbers, buffer: size, { $0 }) {}
            }
            await expectError(.invalidArgument, "buffer is \(size)") {
                for try await _ in pool.stream(AsyncNumbers(), buffer: size, { $0 }) {}
            }
            #expect(numbers.counter.count == 0)
        }
    }

    // MARK: Work

    @Test("A closure that captures what cannot be sent runs on threads only")
    func captures() async throws {
        let resource = Resource()
        try await TestBackend.threads.withPool { pool async throws in
            #expect(try await pool.map([1, 2]) { $0 * resource.number } == [5, 10])
        }
        try await TestBackend.processes.withPool { pool async throws in
            await expectError(.notPortable, "captures", "Resource", "Job") {
                _ = try await pool.map([1, 2]) { $0 * resource.number }
            }
            await expectError(.notPortable, "captures", "Resource") {
                _ = try await pool.submit { resource.number }.value
            }
            // What a closure captures need not be Codable, unlike an input.
            let plain = NotCodable()
            let number = 5
            #expect(try await pool.run { plain.number + number } == 5)
        }
    }

    @Test("A function's name is as good as a closure", arguments: TestBackend.allCases)
    func functionName(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map([1, 2, 3], square) == [1, 4, 9])
            #expect(try await pool.map([1, 2, 3]) { square($0) } == [1, 4, 9])
        }
    }

    @Test("A key path that cannot be sent as a function is refused with what to write", arguments: TestBackend.allCases)
    func keyPath(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            // An optimized build makes plain code of the key path.
            do {
                #expect(try await pool.map(["a", "bc"], \.count) == [1, 2])
            } catch let error as PoolError {
                #expect(backend == .processes)
                #expect(error.code == .notPortable)
                #expect(error.message.contains("captures a key path; write the closure out"))
            }
        }
    }

    @Test("Types that are not Codable run on threads only")
    func notCodable() async throws {
        try await TestBackend.threads.withPool { pool async throws in
            #expect(try await pool.run(NotCodable(number: 1)) { NotCodable(number: $0.number + 1) }.number == 2)
        }
        try await TestBackend.processes.withPool { pool async throws in
            await expectError(.notPortable, "NotCodable", "not Codable", "Pool(.threads)") {
                _ = try await pool.run(NotCodable()) { $0.number }
            }
            await expectError(.notPortable, "NotCodable", "not Codable") {
                _ = try await pool.map([1]) { NotCodable(number: $0) }
            }
            await expectError(.notPortable, "NotCodable", "not Codable") {
                _ = try await pool.map([1], with: NotCodable()) { $0 + $1.number }
            }
            await expectError(.notPortable, "NotCodable") {
                _ = try await pool.map([(1, NotCodable())]) { pair in pair.0 }
            }
        }
    }

    @Test("What stands in the way of an input is named, with what to write instead")
    func obstacles() async throws {
        let any: any Codable & Sendable = 1
        let text = "text"
        try await TestBackend.processes.withPool { pool async throws in
            await expectError(.notPortable, "Decodable & Swift.Encodable", "one type that is Codable, or an enum") {
                _ = try await pool.map([any]) { _ in 1 }
            }
            await expectError(.notPortable, "Substring", "String($0)") {
                _ = try await pool.run(text.prefix(2)) { $0.count }
            }
            await expectError(.notPortable, "Array<Swift.Substring>", "Swift.Substring is not Codable", "String($0)") {
                _ = try await pool.run(text.split(separator: "x")) { $0.count }
            }
            await expectError(.notPortable, "Character", "String($0)") {
                _ = try await pool.map(text) { $0.isLetter }
            }
            await expectError(.notPortable, "ArraySlice", "Array($0)") {
                _ = try await pool.run([1, 2, 3][1...]) { $0.count }
            }
            await expectError(.notPortable, "tuple", "struct") {
                _ = try await pool.run([(1, 2)]) { $0.count }
            }
            await expectError(.notPortable, "Optional<Swift.Character>", "Character is not Codable") {
                _ = try await pool.map([1]) { _ in Character?.none }
            }
            await expectError(.notPortable, "Result<Swift.Int", "pool.results") {
                _ = try await pool.map([1]) { number in Result<Int, Trouble>.success(number) }
            }
        }
    }

    // MARK: Values

    @Test("164 map_unplicklable, 245 error_at_task_pickle: an input that cannot be encoded fails alone")
    func unencodableInput() async throws {
        try await TestBackend.processes.withPool { pool async throws in
            let (bad, good) = (pool.submit(Unencodable(number: 2)) { $0.number }, pool.submit { 1 })
            await expectError(.notPortable, "input", "Unencodable", "the trouble is Trouble", "encode(to:)") {
                _ = try await bad.value
            }
            #expect(try await good.value == 1)
            await expectError(.notPortable, "Unencodable") {
                _ = try await pool.map((0..<10).map { Unencodable(number: $0) }) { $0.number }
            }
            await expectError(.notPortable, "Unencodable", "shared value") {
                _ = try await pool.map([1], with: Unencodable()) { $0 + $1.number }
            }
            var outcomes: [Int?] = []
            for await result in pool.results((0..<10).map { Unencodable(number: $0) }, chunkSize: 4, { $0.number }) {
                outcomes.append(try? result.get())
            }
            #expect(outcomes == (0..<10).map { $0 % 2 == 0 ? nil : $0 })
        }
    }

    @Test("246 error_at_task_unpickle: an input that cannot be decoded fails alone")
    func undecodableInput() async throws {
        try await TestBackend.processes.withPool { pool async throws in
            await expectError(.notPortable, "input", "Undecodable", "the trouble is Trouble", "init(from:)") {
                _ = try await pool.run(Undecodable(number: 2)) { $0.number }
            }
            var outcomes: [Int?] = []
            for await result in pool.results((0..<10).map { Undecodable(number: $0) }, chunkSize: 4, { $0.number }) {
                outcomes.append(try? result.get())
            }
            #expect(outcomes == (0..<10).map { $0 % 2 == 0 ? nil : $0 })
            await expectError(.notPortable, "shared value", "Undecodable") {
                _ = try await pool.map([1], with: Undecodable()) { $0 + $1.number }
            }
        }
    }

    @Test("183 unpickleable_result, 248 error_during_result_pickle: a result that cannot be encoded fails alone")
    func unencodableResult() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool async throws in
            let before = try await pool.run { Worker.current?.processID }
            for _ in 0..<20 {
                await expectError(.notPortable, "result", "Unencodable", "the trouble is Trouble", "encode(to:)") {
                    _ = try await pool.run { Unencodable() }
                }
            }
            var outcomes: [Int?] = []
            for await result in pool.results(0..<10, chunkSize: 4, { Unencodable(number: $0) }) {
                outcomes.append((try? result.get())?.number)
            }
            #expect(outcomes == (0..<10).map { $0 % 2 == 0 ? nil : $0 })
            // The worker is none the worse for it.
            #expect(try await pool.run { Worker.current?.processID } == before)
        }
    }

    @Test("249 error_during_result_unpickle: a result that the parent cannot decode fails alone")
    func undecodableResult() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool async throws in
            let before = try await pool.run { Worker.current?.processID }
            await expectError(.notPortable, "result", "UndecodableByParent", "the trouble is Trouble", "init(from:)") {
                _ = try await pool.run { UndecodableByParent() }
            }
            var outcomes: [Int?] = []
            for await result in pool.results(0..<10, chunkSize: 4, { Undecodable(number: $0) }) {
                outcomes.append((try? result.get())?.number)
            }
            #expect(outcomes == (0..<10).map { $0 % 2 == 0 ? nil : $0 })
            #expect(try await pool.run { Worker.current?.processID } == before)
        }
    }

    @Test(
        "Pitfall 22: an error that cannot be encoded or decoded arrives as its description",
        arguments: TestBackend.allCases)
    func unsendableErrors(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool async throws in
            for _ in 0..<3 {
                let unencodable = await pool.submit { () throws -> Int in throw UnencodableError() }.result
                let undecodable = await pool.submit { () throws -> Int in throw UndecodableError() }.result
                if backend == .threads {
                    // Nothing has to be encoded.
                    #expect(throws: UnencodableError.self) { try unencodable.get() }
                    #expect(throws: UndecodableError.self) { try undecodable.get() }
                } else {
                    await expectError(.remote, "UnencodableError", "an error that does not travel") {
                        _ = try unencodable.get()
                    }
                    await expectError(.remote, "UndecodableError", "an error that does not arrive") {
                        _ = try undecodable.get()
                    }
                }
            }
            #expect(try await pool.run { 1 } == 1)
        }
    }
}
