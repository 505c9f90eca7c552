import Glibc
import Multiprocessing

/// One of the items: runs its deed, and returns the worker's process id if that lets it.
struct Item: Job {
    let number: Int
    let deed: Deed

    func run() throws -> Int32 {
        try deed.perform()
        return getpid()
    }

    /// Each deed twice, and a harmless item before each, so that each crash has neighbors it could harm.
    static var all: [Item] {
        let harmful = Deed.allCases.filter { $0 != .returns }
        return (0..<4 * harmful.count).map { number in
            Item(number: number, deed: number % 2 == 0 ? .returns : harmful[number / 2 % harmful.count])
        }
    }
}
