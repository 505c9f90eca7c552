import Multiprocessing

/// A function of two arguments over two sequences, and one of which an argument is the same each time.
enum MapPairs: Program {
    static let about = "starmap: a function of several arguments over many"

    static func run(on stage: Stage) async throws {
        try await withPool(stage.backend, workers: 4) { pool in
            let products = try await pool.map(zip(1...10, 11...20)) { $0 * $1 }
            say("\(products)")
            try expect(products, is: zip(1...10, 11...20).map { $0 * $1 }, "the products")

            let powers = try await pool.map(zip([2, 3, 10], [5, 2, 3]), power)
            say("\(powers)")
            try expect(powers, is: [32, 9, 1000], "the powers")

            let greetings = try await pool.map(["Ann", "Bob"], with: "Hello") { name, word in "\(word), \(name)!" }
            say("\(greetings)")
            try expect(greetings, is: ["Hello, Ann!", "Hello, Bob!"], "the greetings")
        }
    }

    private static func power(_ base: Int, _ exponent: Int) -> Int {
        (0..<exponent).reduce(1) { power, _ in power * base }
    }
}
