import Multiprocessing

/// Results one by one, in the order of the inputs; after the last there is none.
enum StreamInOrder: Program {
    static let about = "imap: an iterator over results, in the order of the inputs"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        try await withPool(stage.backend, workers: 4) { pool in
            let stream = pool.stream(0..<10) { number in
                try await Task.sleep(for: nap)
                return "\(number) is done"
            }
            var results = stream.makeAsyncIterator()
            var lines: [String] = []
            while let line = try await results.next() {
                say(line)
                lines.append(line)
            }
            say("no more")
            try expect(lines, is: (0..<10).map { "\($0) is done" }, "the results")
        }
    }
}
