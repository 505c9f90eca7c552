import Glibc
import Multiprocessing

/// Forty items, of which some end their worker in every way there is; the program survives.
///
/// Ends with status 0 if every item ended as it should and no process is left.
@main
struct Survive {
    static func main() async throws {
        let items = Item.forty
        var rows: [(item: Item, outcome: Outcome)] = []

        let pool = try Pool(.processes, workers: 4)
        // One result for each item, in the order of the items, whatever becomes of them.
        for await result in pool.results(items) {
            rows.append((items[rows.count], Outcome(result)))
        }
        await pool.shutDown()

        printTable(rows)
        let astray = rows.filter { $0.outcome.kind != $0.item.deed.expected }.count + items.count - rows.count
        let workers = Set(rows.compactMap(\.outcome.processID))
        let left = workers.filter(isAlive).count + (hasChildren ? 1 : 0)
        let crashes = rows.filter { $0.outcome.kind == .crash }.count
        print("\n\(rows.count) items, \(crashes) crashes, \(workers.count) worker processes")
        print("\(astray) items unaccounted for, \(left) processes left")
        exit(astray == 0 && left == 0 ? 0 : 1)
    }

    private static func printTable(_ rows: [(item: Item, outcome: Outcome)]) {
        print(row("item", "what it does", "outcome", "worker"))
        for (item, outcome) in rows {
            let processID = outcome.processID.map(String.init) ?? "-"
            print(row("\(item.number)", item.deed.rawValue, outcome.description, processID))
        }
    }

    private static func row(_ cells: String...) -> String {
        zip(cells, [4, 20, 36, 0])
            .map { cell, width in cell + String(repeating: " ", count: max(0, width - cell.count)) }
            .joined(separator: "  ")
    }

    private static func isAlive(_ processID: Int32) -> Bool {
        kill(processID, 0) == 0 || errno != ESRCH
    }

    /// Whether this process has any child at all, a zombie included.
    private static var hasChildren: Bool {
        waitpid(-1, nil, WNOHANG) >= 0 || errno != ECHILD
    }
}
