import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("A crash inside a chunk")
    struct ChunkCrashTests {
        @Test("Exactly the item that crashed fails, and none runs twice", arguments: Crash.allCases)
        func oneOfFifty(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let steps = (0..<100).map { index in
                Step(index: index, notebook: notebook, ending: index == 23 ? .crash(crash) : .value(bytes: index))
            }
            try await TestBackend.processes.withPool { pool in
                var results: [Result<Step.Output, any Error>] = []
                for await result in pool.results(steps, chunkSize: 50) { results.append(result) }

                #expect(results.count == steps.count)
                crash.expect(results[23].failure)
                #expect(zip(steps, results).allSatisfy { $0.gives($1) })
                #expect(notebook.numbers.sorted() == Array(0..<100))
            }
        }

        @Test(
            "A map fails with the crash, and none of its items ran twice",
            arguments: [Crash.fatalError, .exitZero, .killed])
        func map(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let steps = (0..<100).map { index in
                Step(index: index, notebook: notebook, ending: index == 23 ? .crash(crash) : .value(bytes: 0))
            }
            try await TestBackend.processes.withPool { pool in
                let error = await #expect(throws: PoolError.self) { try await pool.map(steps, chunkSize: 50) }
                crash.expect(error)
                // The chunk's first items ran, in order; what followed the crash did not.
                let numbers = notebook.numbers
                #expect(Set(numbers).count == numbers.count)
                #expect(Set(0...23).isSubset(of: numbers))
                #expect(Set(24..<50).isDisjoint(with: numbers))

                let rest = try await pool.map(0..<10) { $0 }
                #expect(rest == Array(0..<10))
            }
        }

        @Test(
            "Pitfall 8: results that were not sent yet when the worker died are not lost",
            arguments: [0, 1, 100, 5_000])
        func salvage(_ size: Int) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            // Quick items: their results stay in the stage until it is full or the chunk ends.
            let steps = (0..<1_000).map { index in
                Step(index: index, notebook: notebook, ending: index == 999 ? .crash(.killed) : .value(bytes: size))
            }
            try await expectEachOnce(steps, notebook, chunkSize: 1_000)
        }

        @Test("Values, failures, large values and crashes in one chunk each end as they should")
        func mixed() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            var generator = RandomSource(seed: 20_26)
            let steps = (0..<600).map { index in
                let ending: Step.Ending =
                    switch Int.random(in: 0..<60, using: &generator) {
                    case 0, 1: .crash([.killed, .fatalError, .exitThree].randomElement(using: &generator) ?? .killed)
                    case 2..<10: .failure
                    case 10: .value(bytes: 300 << 10)
                    case 11: .value(bytes: 255 << 10)
                    case 12: .value(bytes: (256 << 10) - Int.random(in: 0..<64, using: &generator))
                    default: .value(bytes: Int.random(in: 0..<3_000, using: &generator))
                    }
                return Step(index: index, notebook: notebook, ending: ending)
            }
            try await expectEachOnce(steps, notebook, chunkSize: 75)
        }

        @Test("Every item of a chunk may crash")
        func allCrash() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let steps = (0..<20).map { Step(index: $0, notebook: notebook, ending: .crash(.killed)) }
            try await expectEachOnce(steps, notebook, chunkSize: 10)
        }

        private func expectEachOnce(_ steps: [Step], _ notebook: Notebook, chunkSize: Int) async throws {
            try await TestBackend.processes.withPool { pool in
                var wrong: [Int] = []
                var count = 0
                for await result in pool.results(steps, chunkSize: chunkSize) {
                    if !steps[count].gives(result) { wrong.append(count) }
                    count += 1
                }
                #expect(count == steps.count)
                #expect(wrong == [])
                #expect(notebook.numbers.sorted() == Array(steps.indices))
            }
        }
    }
}
