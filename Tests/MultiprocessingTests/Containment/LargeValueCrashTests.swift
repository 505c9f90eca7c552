import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("A crash while a large value is on its way")
    struct LargeValueCrashTests {
        private static let size = 32 << 20

        @Test(
            "Pitfall 6: half read by the worker, the item has not begun and another worker runs it",
            arguments: Crash.allCases)
        func halfRead(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool { pool in
                let mined = try await mine(pool, crash, .halfRead, notebook)
                let gate = Gate()
                let held = pool.submit(gate.item)
                await expectSoon { gate.heldWorker != nil }
                let victim = try #require(mined.first { $0 != gate.heldWorker })

                // The rest is written by the thread that the gate holds up.
                let large = pool.submit(Array(repeating: UInt8(7), count: Self.size)) {
                    $0.consists(of: 7, count: 32 << 20)
                }
                notebook.write("\(victim)")
                await expectSoon { !ProcessFacts.isRunning(victim) }
                gate.open()

                let isWhole = try await large.value
                #expect(isWhole)
                _ = try await held.value
                let rest = try await pool.map(0..<20) { $0 }
                #expect(rest == Array(0..<20))
            }
        }

        @Test("Pitfall 6: half written by the worker, the item fails and the others do not", arguments: Crash.allCases)
        func halfWritten(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool { pool in
                let mined = try await mine(pool, crash, .halfWritten, notebook)
                let large = pool.submit(notebook) { notebook -> [UInt8] in
                    notebook.write("at work in \(getpid())")
                    try notebook.wait(for: "write")
                    return Array(repeating: 7, count: 32 << 20)
                }
                await expectSoon { notebook.lines.contains { $0.hasPrefix("at work") } }
                let gate = Gate()
                let held = pool.submit(gate.item)
                await expectSoon { gate.heldWorker != nil }
                let victim = try #require(mined.first { $0 != gate.heldWorker })
                #expect(notebook.lines.contains("at work in \(victim)"))

                notebook.write("write")
                notebook.write("\(victim)")
                await expectSoon { !ProcessFacts.isRunning(victim) }
                gate.open()

                crash.expect(await large.result.failure, of: victim)
                _ = try await held.value
                let rest = try await pool.map(0..<20) { $0 }
                #expect(rest == Array(0..<20))
            }
        }

        @Test(
            "Large values of a chunk that were sent before the crash are kept", arguments: [Crash.killed, .fatalError])
        func manyLargeValues(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let steps = (0..<8).map { index in
                Step(index: index, notebook: notebook, ending: index == 5 ? .crash(crash) : .value(bytes: 4 << 20))
            }
            try await TestBackend.processes.withPool { pool in
                var index = 0
                for await result in pool.results(steps, chunkSize: 8) {
                    #expect(steps[index].gives(result))
                    index += 1
                }
                #expect(index == 8)
                #expect(notebook.numbers.sorted() == Array(0..<8))
            }
        }

        @Test("Killed at any moment of a large value's way, an item ends once, and the pool goes on")
        func anyMoment() async throws {
            try await TestBackend.processes.withPool(limit: .seconds(60)) { pool in
                for round in 0..<20 {
                    let process = try await pool.run { getpid() }
                    let bytes = Array(repeating: UInt8(round), count: 8 << 20)
                    // Read into its own memory, and decoded.
                    let array = pool.submit(bytes) { $0 }
                    let nested = pool.submit([bytes]) { $0 }
                    usleep(UInt32(round * 700))
                    kill(process, SIGKILL)
                    for result in [await array.result, await nested.result.map { $0.first ?? [] }] {
                        switch result {
                        case .success(let bytes):
                            #expect(bytes.consists(of: UInt8(round), count: 8 << 20))
                        case .failure(let error):
                            Crash.killed.expect(error)
                        }
                    }
                }
            }
        }

        /// Leaves a mine in each of two workers and returns their process ids.
        private func mine(
            _ pool: Pool,
            _ crash: Crash,
            _ moment: Mine.Moment,
            _ notebook: Notebook
        ) async throws -> [Int32] {
            let mine = Mine(crash: crash, fuse: notebook, moment: moment, count: 2)
            return try await values(of: [pool.submit(mine), pool.submit(mine)])
        }
    }
}
