import Multiprocessing

/// A caller in the Swift 5 language mode, where a sequence that is used in a wrong place is a race and no trap.
@MainActor
public enum LegacyCaller {
    /// The values of a `map` and of a stream over a sequence of the main actor's; traps when that is used elsewhere.
    public static func run(_ backend: any Backend) async throws -> (mapped: [Int], streamed: [Int]) {
        let pool = try Pool(backend, workers: 2)
        let numbers = (1...100).lazy.filter { number in
            MainActor.preconditionIsolated()
            return number % 2 == 0
        }
        let mapped = try await pool.map(numbers, chunkSize: 1) { $0 + 1 }
        var streamed: [Int] = []
        for try await value in pool.stream(numbers, { $0 + 1 }) { streamed.append(value) }
        await pool.shutDown()
        return (mapped, streamed)
    }
}
