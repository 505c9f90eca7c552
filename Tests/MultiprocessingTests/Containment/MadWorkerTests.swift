import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("Workers that are out of their mind")
    struct MadWorkerTests {
        /// How many times harm is done; more by the environment.
        private static var corruptionCount: Int {
            getenv("MULTIPROCESSING_CORRUPTIONS").flatMap { Int(String(cString: $0)) } ?? 10_000
        }

        @Test("Whatever a worker writes to its board and sockets, it hurts its own items and no others", .ownProcess)
        func anything() async {
            // In a process of its own, in which nothing else could leave anything behind.
            await #expect(processExitsWith: .success) {
                let chosen = getenv("MULTIPROCESSING_SEED").flatMap { UInt64(String(cString: $0)) }
                let seed = chosen ?? .random(in: 0 ... .max)
                print("mad workers, seed \(seed)")
                let notebook = try Notebook()
                defer { notebook.remove() }
                let warm = try Pool(.processes, workers: 1)
                let one = try await warm.run { 1 }
                #expect(one == 1)
                await warm.shutDown()
                let before = Usage.current
                try await Self.runRounds(seed: seed, notebook)
                await before.expectAgain()
            }
        }

        private static func runRounds(seed: UInt64, _ notebook: Notebook) async throws {
            var random = RandomSource(seed: seed)
            let pool = try Pool(.processes, workers: 8)
            var corruptions = 0
            var round = 0
            while corruptions < corruptionCount {
                round += 1
                let steps = (0..<500).map { index in
                    var step = MadStep(number: round * 1_000 + index, notebook: notebook)
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        step.corruptions = [1, 1, 2, 5, 20, 100].randomElement(using: &random) ?? 1
                        step.seed = random.next()
                        corruptions += step.corruptions
                    }
                    return step
                }
                let chunkSize = [nil, 1, 3, 10].randomElement(using: &random) ?? nil
                let round = round
                try await withLimit(.seconds(240)) { [steps] in
                    let futures = steps.prefix(100).map { pool.submit($0) }
                    var results: [Result<Int, any Error>] = []
                    for await result in pool.results(steps.dropFirst(100), chunkSize: chunkSize) {
                        results.append(result)
                    }
                    var first: [Result<Int, any Error>] = []
                    for future in futures { first.append(await future.result) }
                    check(steps, first + results, notebook, "seed \(seed), round \(round)")
                }
            }
            try await expectSane(pool, "seed \(seed)")
            await pool.terminate()
        }

        /// Every item has ended, and those that no mad worker ran as they should.
        private static func check(
            _ steps: [MadStep],
            _ results: [Result<Int, any Error>],
            _ notebook: Notebook,
            _ comment: Comment
        ) {
            #expect(results.count == steps.count, comment)
            var mad: Set<Substring> = []
            var runners: [Substring: [Substring]] = [:]
            for line in notebook.lines {
                let words = line.split(separator: " ")
                if words[0] == "mad" { mad.insert(words[1]) } else { runners[words[1], default: []].append(words[2]) }
            }
            for (step, result) in zip(steps, results) where step.corruptions == 0 {
                let ran = runners["\(step.number)", default: []]
                if ran.isEmpty || ran.contains(where: mad.contains) {
                    // Its worker's own: what came of it may be anything, if it is not silent about a loss.
                    if case .failure(let error) = result { #expect(error is PoolError, comment) }
                } else {
                    #expect(ran.count == 1, comment)
                    let value = try? result.get()
                    #expect(value == MadStep.value(of: step.number), "\(step.number): \(result), \(comment)")
                }
            }
        }

        /// The pool goes on: what mad workers are left is found out, and replaced, after few items.
        private static func expectSane(_ pool: Pool, _ comment: Comment) async throws {
            for _ in 0..<8 {
                let isSane = try await withLimit(.seconds(30)) {
                    var values: [Int] = []
                    for await result in pool.results(0..<64, chunkSize: 1, { $0 * 3 }) {
                        if case .success(let value) = result { values.append(value) }
                    }
                    return values == (0..<64).map { $0 * 3 }
                }
                if isSane { return }
            }
            Issue.record(comment)
        }

        // MARK: Each kind alone

        /// Does harm in a worker's first item; the next item and all that follow come to an end.
        private func expectEnd(of item: Harm, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            try await TestBackend.processes.withPool(workers: 1, limit: .seconds(30), sourceLocation: sourceLocation) {
                pool in
                let mad = await pool.submit(item).result
                if case .success(let value) = mad { #expect(value == 7, sourceLocation: sourceLocation) }
                for _ in 0..<2 {
                    switch await pool.submit({ 5 }).result {
                    case .success(let value): #expect(value == 5, sourceLocation: sourceLocation)
                    case .failure(let error): #expect(error is PoolError, sourceLocation: sourceLocation)
                    }
                }
                let value = try await pool.run { 5 }
                #expect(value == 5, sourceLocation: sourceLocation)
            }
        }

        @Test("A header that promises more than comes leaves nobody waiting", arguments: [UInt64(1_000), 1 << 30])
        func promise(_ length: UInt64) async throws {
            for kind: Frame.Kind in [.values, .failure, .keys, .array] {
                try await expectEnd(of: .bytes(MadWorker.header(kind, number: 1, length: length)))
            }
        }

        @Test("Half a header leaves nobody waiting")
        func halfHeader() async throws {
            try await expectEnd(of: .bytes([UInt8(Frame.Kind.values.rawValue), 0, 0]))
        }

        @Test(
            "A changed word of the board leaves nobody waiting",
            arguments: MadWorker.Word.allCases, [UInt64(0), 1, 1 << 48, .max])
        func word(_ word: MadWorker.Word, _ value: UInt64) async throws {
            try await expectEnd(of: .word(word, value))
        }

        @Test("A result more than there are items is nobody's result")
        func extraResult() async throws {
            let values = MadWorker.header(.values, number: 1, length: 8) + [9] + [UInt8](repeating: 0, count: 15)
            try await expectEnd(of: .bytes(values))
        }

        @Test("What the worker says beside its work is checked like its results")
        func lane() async throws {
            let word = [UInt8](repeating: 0xFF, count: 8) + [UInt8](repeating: 0, count: 8)
            let item = MadWorker.header(.progress, number: 0, length: 24)
            let large = [UInt8](repeating: 0xFF, count: 16) + [UInt8](repeating: 0, count: 16)
            for bytes in [
                MadWorker.header(.answer, number: 0, length: 8) + word,
                MadWorker.header(.cancel, number: 0, length: 8) + word,
                MadWorker.header(.watchActor, number: 0, length: 8) + word,
                MadWorker.header(.values, number: 1, length: 8) + word,
                MadWorker.header(.progress, number: 0, length: 1 << 40),
                item + large,
                item + [1] + [UInt8](repeating: 0, count: 7) + large[..<8] + [UInt8](repeating: 0, count: 16),
            ] {
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    // The work itself does not end, for what it wrote ends its worker.
                    let error = await pool.submit(Harm.lane(bytes)).result.failure
                    #expect((error as? PoolError)?.code == .workerCrashed, "\(bytes[..<4])")
                    let value = try await pool.run { 5 }
                    #expect(value == 5)
                }
            }
        }

        @Test("A part of a message beside the work leaves nobody waiting, though it swallows the next answer")
        func partOfMessage() async throws {
            let header = MadWorker.header(.progress, number: 0, length: 1_000)
            for bytes in [header, Array(header.prefix(8))] {
                // The worker begins nothing any more, and says so when it is asked.
                try await expectEnd(of: .wordAndLane(.claims, .max, bytes))
            }
        }

        @Test("An end that comes before the results is no end")
        func earlyEnd() async throws {
            let end = MadWorker.header(.chunkEnd, number: 0, length: 16) + [1] + [UInt8](repeating: 0, count: 15)
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let error = await pool.submit(Harm.bytes(end)).result.failure
                #expect((error as? PoolError)?.code == .workerCrashed)
            }
        }

        @Test("A worker that sets back what it has begun loses its own items, and none comes twice")
        func strides() async throws {
            try await TestBackend.processes.withPool(workers: 2) { pool in
                for round in 0..<20 {
                    do {
                        let values = try await pool.map(0..<400, chunkSize: 1) { index in
                            if index % 8 == 3, let mad = MadWorker(seed: 0) {
                                // The count of strides is the lower half.
                                mad[.claims] = mad[.claims] & ~0xFFFF_FFFF | UInt64(round % 3)
                            }
                            usleep(index == 0 ? 3_000 : 10)
                            return index * 2
                        }
                        #expect(values == (0..<400).map { $0 * 2 })
                    } catch {
                        #expect((error as? PoolError)?.code == .workerCrashed, "\(error)")
                    }
                }
            }
        }
    }
}

/// An item that does one thing to its worker's channel.
private enum Harm: Job {
    case bytes([UInt8])
    case word(MadWorker.Word, UInt64)
    /// On the lane beside, after which the item goes on for ever.
    case lane([UInt8])
    /// Both, after which the item ends.
    case wordAndLane(MadWorker.Word, UInt64, [UInt8])

    func run() -> Int {
        guard let mad = MadWorker(seed: 0) else { return 0 }
        switch self {
        case .bytes(let bytes): mad.write(bytes)
        case .word(let word, let value): mad[word] = value
        case .wordAndLane(let word, let value, let bytes):
            mad[word] = value
            mad.writeToLane(bytes)
        case .lane(let bytes):
            mad.writeToLane(bytes)
            while true { usleep(1_000) }
        }
        return 7
    }
}
