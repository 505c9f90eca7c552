import Multiprocessing

/// A map made of nothing but processes and queues.
enum ParallelMap: Program {
    static let about = "a parallel map written with processes and queues"

    static func run(on stage: Stage) async throws {
        let squares = try await parmap(stage.backend, processes: 3, Array(1...20)) { $0 * $0 }
        say("\(squares)")
        try expect(squares, is: (1...20).map { $0 * $0 }, "the squares")
        let lengths = try await parmap(stage.backend, processes: 2, ["one", "three", "eleven"]) { $0.count }
        say("\(lengths)")
        try expect(lengths, is: [3, 5, 6], "the lengths")
    }

    /// A value that knows its place.
    struct Numbered<Value: Codable & Sendable>: Codable, Sendable {
        let index: Int
        let value: Value
    }

    static func parmap<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ backend: any Backend,
        processes count: Int,
        _ items: [Input],
        _ body: @escaping @Sendable (Input) throws -> Output
    ) async throws -> [Output] {
        let (inputs, outputs) = (try SharedQueue<Numbered<Input>>(), try SharedQueue<Numbered<Output>>())
        for (index, item) in items.enumerated() { try await inputs.send(Numbered(index: index, value: item)) }
        let processes = try (0..<count).map { _ in
            try ChildProcess(backend, (inputs, outputs)) { (inputs, outputs) in
                while let input = try inputs.tryReceive() {
                    try outputs.send(Numbered(index: input.index, value: body(input.value)))
                }
            }
        }
        for process in processes { try await process.value }
        var results: [Numbered<Output>] = []
        while let result = try outputs.tryReceive() { results.append(result) }
        return results.sorted { $0.index < $1.index }.map(\.value)
    }
}
