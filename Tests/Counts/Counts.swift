import CallCounter
import Glibc
import Multiprocessing

/// A program that counts what its pools cost, where the count does not depend on the machine.
@main
enum Counts {
    private static let itemCount = 100_000

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.last) {
        case ("small", _): try await small()
        case ("submit", "threads"): try await submit(.threads)
        case ("submit", "processes"): try await submit(.processes)
        default: fatalError("counts: name what to count")
        }
    }

    /// Prints the system calls of the program and its workers for each item of a map, a chunk each.
    private static func small() async throws {
        guard call_counter_share() == 0 else { fatalError("counts: no shared counter") }
        let pool = try Pool(.processes, workers: 2)
        // Until the workers have shown to be quick.
        _ = try await pool.map(0..<10_000, chunkSize: 1) { $0 &* $0 }
        let before = call_counter_system_calls()
        let results = try await pool.map(0..<itemCount, chunkSize: 1) { $0 &* $0 }
        let count = call_counter_system_calls() - before
        precondition(results.last == (itemCount - 1) * (itemCount - 1))
        print(Double(count) / Double(itemCount))
        await pool.shutDown()
    }

    /// Prints the allocations of the submitting thread for each item that has to wait.
    private static func submit(_ backend: some Backend) async throws {
        let pool = try Pool(backend, workers: 1)
        for number in 0..<100 { _ = try await pool.run(number) { $0 &+ 1 } }
        let blocker = pool.submit { _ = sleep(1_000) }
        let count = queue(1_000, in: pool)
        print(Double(count) / 1_000)
        withExtendedLifetime(blocker) { exit(0) }
    }

    private static func queue(_ count: Int, in pool: Pool) -> UInt {
        var futures: [Future<Int>] = []
        futures.reserveCapacity(count)
        let before = call_counter_allocations()
        for number in 0..<count { futures.append(pool.submit(number) { $0 &+ 1 }) }
        return call_counter_allocations() - before
    }
}
