import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Lifetime {
    @Suite("Soak")
    struct SoakTests {
        @Test(
            "2,000 items while workers are killed at random: each ends exactly once, and nothing is left",
            .ownProcess)
        func killedAtRandom() async throws {
            let seed = UInt64.random(in: 0..<1_000_000)
            print("soak: seed \(seed)")
            // Not what it prints: that would take one more of this process's threads; see `OwnProcess`.
            let report = try Notebook()
            defer { report.remove() }
            await #expect(processExitsWith: .success) { [seed = seed as UInt64, report = report as Notebook] in
                let notebook = try Notebook()
                defer { notebook.remove() }
                // What the first pool makes stays: Dispatch's queues, the relay of standard error.
                let first = try Notebook()
                defer { first.remove() }
                try await Soak(seed: seed, count: 50, notebook: first, report: report).run()
                let before = Usage(descriptors: Usage.current.descriptors, threads: Usage.current.threads, children: 0)
                try await Soak(seed: seed, count: 2_000, notebook: notebook, report: report).run()
                await before.expectAgain()
            }
            print(report.lines.joined(separator: "\n"))
        }
    }
}

/// Items on a pool whose workers are killed every few milliseconds.
private struct Soak {
    let seed: UInt64
    let count: Int
    let notebook: Notebook
    let report: Notebook

    func run() async throws {
        let pool = try Pool(.processes, workers: 4)
        let killer = Task.detached { [self] in await kill() }
        // One half alone, the other in chunks; some of both are large.
        async let singles = runSingles(pool)
        async let chunks = runChunks(pool)
        let crashes = await (singles, chunks)
        killer.cancel()
        let kills = await killer.value
        await pool.shutDown()

        let runs = Dictionary(grouping: notebook.lines.compactMap { $0.split(separator: " ").first }, by: \.self)
        #expect(!runs.values.contains { $0.count > 1 }, "items ran twice")
        // A worker may have been killed between items.
        #expect(crashes.0 + crashes.1 <= kills, "\(crashes) items failed in \(kills) kills")
        report.write("soak: \(kills) kills, \(crashes) items crashed")
    }

    private func runSingles(_ pool: Pool) async -> Int {
        let items = (0..<count / 2).map { SoakItem(index: $0, notebook: notebook) }
        let futures = items.map { pool.submit($0) }
        var crashes = 0
        for (item, future) in zip(items, futures) { crashes += item.check(await future.result) }
        return crashes
    }

    private func runChunks(_ pool: Pool) async -> Int {
        let items = (count / 2..<count).map { SoakItem(index: $0, notebook: notebook) }
        var crashes = 0
        var index = 0
        for await result in pool.results(items, chunkSize: 7) {
            crashes += items[index].check(result)
            index += 1
        }
        #expect(index == items.count)
        return crashes
    }

    /// Kills, until it is cancelled, a worker that was seen at work; returns how many.
    private func kill() async -> Int {
        var generator = RandomSource(seed: seed)
        var victims: Set<Int32> = []
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 2...12, using: &generator)))
            // Only those that were ready: one that dies again and again at its start is another story.
            let seen = Set(notebook.lines.suffix(12).compactMap { $0.split(separator: " ").last.flatMap { Int32($0) } })
            let alive = seen.subtracting(victims).filter { ProcessFacts.isRunning($0) }.sorted()
            guard let victim = alive.randomElement(using: &generator) else { continue }
            victims.insert(victim)
            Glibc.kill(victim, SIGKILL)
        }
        return victims.count
    }
}

private struct SoakItem: Job {
    let index: Int
    let notebook: Notebook

    struct Output: Codable {
        let index: Int
        let bytes: [UInt8]
    }

    private var size: Int { index % 50 == 0 ? 1 << 20 : index % 300 }

    func run() -> Output {
        notebook.write("\(index) \(getpid())")
        usleep(UInt32(index % 4) * 400)
        return Output(index: index, bytes: Array(repeating: UInt8(index & 0xFF), count: size))
    }

    /// Checks that a result is this item's value or tells of a kill; returns 1 for the latter.
    func check(_ result: Result<Output, any Error>) -> Int {
        switch result {
        case .success(let output):
            #expect(output.index == index)
            #expect(output.bytes.consists(of: UInt8(index & 0xFF), count: size))
            return 0
        case .failure(let error):
            Crash.killed.expect(error)
            return 1
        }
    }
}
