import Multiprocessing

/// A map in the background: the caller goes on, and takes the results when it needs them.
enum MapLater: Program {
    static let about = "map_async: a map that is waited for later"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        try await withPool(stage.backend, workers: 4) { pool in
            async let squares = pool.map(0..<10) { number in
                try await Task.sleep(for: nap)
                return number * number
            }
            say("meanwhile")
            let all = try await squares
            say("\(all)")
            try expect(all, is: (0..<10).map { $0 * $0 }, "the squares")
        }
    }
}
