import Multiprocessing

/// A function over ten inputs, in chunks of a given size.
enum MapAll: Program {
    static let about = "map: a function over many inputs, whose results come all at once"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        try await withPool(stage.backend, workers: 4) { pool in
            try await pool.forEach(0..<10) { number in
                say("\(whoIsHere) gets \(number)")
                try await Task.sleep(for: nap)
            }
            for size in [1, 3, 100] {
                let squares = try await pool.map(0..<10, chunkSize: size) { $0 * $0 }
                say("\(squares) in chunks of \(size)")
                try expect(squares, is: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81], "the squares")
            }
        }
    }
}
