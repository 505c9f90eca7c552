import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Items that fail in every way, on a pool whose workers are killed and whose size changes all the time.
///
/// What every item does and how it is called follow from the seed; when something is killed, cancelled or resized
/// follows from the machine too.
struct FaultSoak: Sendable {
    let backend: TestBackend
    let seed: UInt64
    let count: Int
    let notebook: Notebook
    /// For the people who run it.
    let report: Notebook
    let tally = Tally()

    /// What has happened, for the checks at the end.
    final class Tally: Sendable {
        struct Counts {
            /// How often the handler of each future was called.
            var endings: [Int: Int] = [:]
            /// Items that must not have run, because they waited for too long.
            var expired: Set<Int> = []
            /// Items that have ended with a value.
            var succeeded: Set<Int> = []
            /// Items that were lost with a worker and have not themselves to blame.
            var lost: [String] = []
            var timedOut = 0
            var cancelled = 0
            var kills = 0
            var resizes = 0
        }

        let counts = Mutex(Counts())

        func note(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }
    }

    /// How one item is called.
    enum Way {
        case plain
        case timeout(Duration)
        case queueTimeout(Duration)
        case cancelled(after: UInt32)
        case retried
    }

    private static let clientCount = 10
    /// In chunks an item that does nothing wrong has this limit too.
    private static let chunkLimit = Duration.milliseconds(1_500)

    func run() async throws {
        var configuration = Pool.Configuration()
        configuration.gracePeriod = .milliseconds(20)
        configuration.recycling = Pool.Configuration.Recycling(items: 150, age: .seconds(2))
        configuration.idleTimeout = .milliseconds(200)
        let pool = try Pool(backend.backend, workers: 4, configuration: configuration)
        let killer = Task.detached { [self] in if backend == .processes { await kill() } }
        let resizer = Task.detached { [self] in await resize(pool) }
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<Self.clientCount { group.addTask { await runSingles(pool, client) } }
            group.addTask { await runChunks(pool) }
            group.addTask { await runRetriedChunks(pool) }
            group.addTask { await runCancelledMaps(pool) }
        }
        killer.cancel()
        resizer.cancel()
        await killer.value
        await resizer.value
        await pool.shutDown()
        check(pool.statistics)
        await checkNotebook()
    }

    // MARK: Calls

    private var singles: Range<Int> { 0..<count / 2 }
    private var chunks: Range<Int> { count / 2..<count * 3 / 4 }
    private var retriedChunks: Range<Int> { count * 3 / 4..<count * 7 / 8 }
    private var cancelledMaps: Range<Int> { count * 7 / 8..<count }

    private func item(_ index: Int, _ deed: FaultItem.Deed) -> FaultItem {
        FaultItem(index: index, deed: deed, notebook: notebook)
    }

    /// Items that are submitted one by one, by several clients that wait for each of theirs.
    private func runSingles(_ pool: Pool, _ client: Int) async {
        var random = RandomSource(seed: seed &+ UInt64(client))
        for index in singles where index % Self.clientCount == client {
            let item = item(index, deed(1_000, &random))
            let way = way(for: item.deed, &random)
            let future = pool.submit(item, options: options(way))
            future.onCompletion { _ in tally.note { $0.endings[index, default: 0] += 1 } }
            if case .cancelled(let delay) = way {
                if delay > 0 { try? await Task.sleep(for: .microseconds(delay)) }
                future.cancel()
                if index % 2 == 0 { future.cancel() }
            }
            check(await future.result, of: item, way)
        }
    }

    /// Chunks, in which each item has a limit of its own.
    private func runChunks(_ pool: Pool) async {
        var random = RandomSource(seed: seed &+ 100)
        let items = chunks.map { item($0, deed(200, &random)) }
        await run(items, .timeout(Self.chunkLimit), pool, chunkSize: 7)
    }

    private func runRetriedChunks(_ pool: Pool) async {
        var random = RandomSource(seed: seed &+ 101)
        let items = retriedChunks.map { index in
            item(index, Int.random(in: 0..<10, using: &random) == 0 ? flaky(&random) : .value)
        }
        await run(items, .retried, pool, chunkSize: 5)
    }

    private func run(_ items: [FaultItem], _ way: Way, _ pool: Pool, chunkSize: Int) async {
        var index = 0
        for await result in pool.results(items, chunkSize: chunkSize, options: options(way)) {
            check(result, of: items[index], way)
            index += 1
        }
        #expect(index == items.count)
    }

    private func runCancelledMaps(_ pool: Pool) async {
        var random = RandomSource(seed: seed &+ 102)
        for start in stride(from: cancelledMaps.lowerBound, to: cancelledMaps.upperBound, by: 25) {
            let items = (start..<min(start + 25, cancelledMaps.upperBound)).map { item($0, .value) }
            let call = Task { try await pool.map(items, chunkSize: 4) }
            try? await Task.sleep(for: .microseconds(Int.random(in: 0..<10_000, using: &random)))
            call.cancel()
            switch await call.result {
            case .success(let outputs):
                #expect(zip(items, outputs).allSatisfy { $0.gives($1) } && outputs.count == items.count)
            case .failure(is CancellationError):
                tally.note { $0.cancelled += items.count }
            case .failure(let error):
                // The map ends with the first item that was lost.
                Crash.killed.expect(error)
                noteLost("an item of a map from \(start)", error)
            }
        }
    }

    private func options(_ way: Way) -> WorkOptions {
        switch way {
        case .plain, .cancelled: WorkOptions()
        case .timeout(let limit): .timeout(limit)
        case .queueTimeout(let limit): .queueTimeout(limit)
        case .retried: .retry(.attempts(6, delay: .constant(.milliseconds(2)), where: { $0 is FaultItem.Failure }))
        }
    }

    // MARK: Chance

    /// - Parameter harm: How much of the usual harm is wanted, in thousandths.
    private func deed(_ harm: Int, _ random: inout RandomSource) -> FaultItem.Deed {
        let isProcess = backend == .processes
        switch Int.random(in: 0..<1_000_000, using: &random) / harm {
        case 0..<40: return .failure
        case 40..<80 where isProcess: return .crash(crash(&random))
        case 80..<120 where harm == 1_000: return flaky(&random)
        case 120..<150:
            let hangs: [FaultItem.Hang] = isProcess ? FaultItem.Hang.allCases : [.tightLoop, .blockingCall, .listens]
            return .hang(hangs.randomElement(using: &random)!)
        default: return .value
        }
    }

    private func flaky(_ random: inout RandomSource) -> FaultItem.Deed {
        .flaky(backend == .processes && Bool.random(using: &random) ? crash(&random) : nil)
    }

    /// Without those that write a message: hundreds of them say nothing.
    private func crash(_ random: inout RandomSource) -> Crash {
        [.killed, .abort, .exitThree, .exitZero, .nullWrite].randomElement(using: &random)!
    }

    private func way(for deed: FaultItem.Deed, _ random: inout RandomSource) -> Way {
        if deed.isFlaky { return .retried }
        let chance = Int.random(in: 0..<100, using: &random)
        if deed.isHang {
            return chance < 60
                ? .timeout(.milliseconds(Int.random(in: 1...120, using: &random)))
                : .cancelled(after: UInt32.random(in: 0...20_000, using: &random))
        }
        switch chance {
        case 0..<15: return .timeout(.seconds(100))
        case 15..<25: return .cancelled(after: 0)
        case 25..<45: return .cancelled(after: UInt32.random(in: 0...4_000, using: &random))
        case 45..<55: return .queueTimeout(.microseconds(Int.random(in: 1...4_000, using: &random)))
        case 55..<60: return .retried
        default: return .plain
        }
    }

    // MARK: Harm from outside

    /// Kills, until it is cancelled, a worker that was seen at work.
    private func kill() async {
        var random = RandomSource(seed: seed &+ 200)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 20...120, using: &random)))
            // Only those that were ready: one that dies again and again at its start is another story.
            let seen = Set(notebook.lastLines.compactMap { $0.split(separator: " ").last.flatMap { Int32($0) } })
            let alive = seen.filter { ProcessTable.entry($0)?.parent == getpid() }.sorted()
            guard let victim = alive.randomElement(using: &random) else { continue }
            if Glibc.kill(victim, SIGKILL) == 0 { tally.note { $0.kills += 1 } }
        }
    }

    private func resize(_ pool: Pool) async {
        var random = RandomSource(seed: seed &+ 300)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 20...200, using: &random)))
            #expect(throws: Never.self) { try pool.resize(to: Int.random(in: 1...6, using: &random)) }
            tally.note { $0.resizes += 1 }
        }
    }
}
