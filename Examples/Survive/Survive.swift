import Glibc
import Multiprocessing

/// Items of which most end their worker, hold it up or eat its memory, in every way there is; the program survives.
///
/// Writes a picture of the run to the file that it is given, and ends with status 0 if every item ended as it should
/// and no process is left.
@main
struct Survive {
    static func main() async throws {
        let items = Item.all
        var rows: [(item: Item, outcome: Outcome)] = []

        var configuration = Pool.Configuration()
        configuration.gracePeriod = .milliseconds(200)
        configuration.recycling.memoryGrowth = 32 << 20
        let pool = try Pool(
            .processes(limits: ResourceLimits(memory: .mebibytes(256))), workers: 4, configuration: configuration)
        let timeline = pool.record()
        let roll = Task { [events = pool.events] in await processes(in: events) }
        // One result for each item, in the order of the items, whatever becomes of them.
        for await result in pool.results(items, options: options) {
            rows.append((items[rows.count], Outcome(result)))
        }
        await pool.shutDown()

        printTable(rows)
        let astray = rows.filter { $0.outcome.kind != $0.item.deed.expected }.count + items.count - rows.count
        let workers = await roll.value
        let left = remaining(of: workers)
        printSummary(rows, pool.statistics)
        let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "/tmp/survive.svg"
        try timeline.write(to: path)
        print("\(path) is a picture of it")
        print("\(astray) items unaccounted for, \(left) processes left")
        exit(astray == 0 && left == 0 ? 0 : 1)
    }

    /// A crash is not tried again, only what the items say may be.
    private static var options: WorkOptions {
        .timeout(.seconds(3)).label("survive").retry(.attempts(2, on: [], where: { $0 is Hiccup }))
    }

    /// The process ids of all workers that there were, until the pool has ended.
    private static func processes(in events: PoolEvents) async -> Set<Int32> {
        var processes: Set<Int32> = []
        for await event in events {
            if let process = event.worker?.processID { processes.insert(process) }
        }
        return processes
    }

    private static func printTable(_ rows: [(item: Item, outcome: Outcome)]) {
        print(row("item", "what it does", "outcome", "worker"))
        for (item, outcome) in rows {
            let processID = outcome.processID.map(String.init) ?? "-"
            print(row("\(item.number)", item.deed.rawValue, outcome.description, processID))
        }
    }

    private static func printSummary(_ rows: [(item: Item, outcome: Outcome)], _ numbers: PoolStatistics) {
        let count = { (kind: Outcome.Kind) in rows.count { $0.outcome.kind == kind } }
        print("\n\(rows.count) items, \(count(.crash)) crashes, \(count(.timeOut)) stopped at their deadline,")
        print("\(count(.memory)) at their memory limit; \(numbers.workersStarted) workers, of which")
        print("\(numbers.workersRecycled) were replaced because they had grown")
    }

    private static func row(_ cells: String...) -> String {
        zip(cells, [4, 23, 36, 0])
            .map { cell, width in cell + String(repeating: " ", count: max(0, width - cell.count)) }
            .joined(separator: "  ")
    }

    /// How many processes are left, for which whoever reaps what the workers started gets some time.
    private static func remaining(of workers: Set<Int32>) -> Int {
        let end = ContinuousClock.now + .seconds(5)
        var count = Int.max
        while count > 0, ContinuousClock.now < end {
            if count != .max { usleep(10_000) }
            count = workers.filter(isAlive).count + (hasChildren ? 1 : 0)
        }
        return count
    }

    /// Whether a worker or anything that it has started is there: what it starts is of its process group.
    private static func isAlive(_ processID: Int32) -> Bool {
        kill(processID, 0) == 0 || errno != ESRCH || kill(-processID, 0) == 0 || errno != ESRCH
    }

    /// Whether this process has any child at all, a zombie included.
    private static var hasChildren: Bool {
        waitpid(-1, nil, WNOHANG) >= 0 || errno != ECHILD
    }
}
