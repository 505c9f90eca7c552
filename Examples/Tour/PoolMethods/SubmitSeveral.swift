import Multiprocessing

/// Five calls that do not wait, and then their results: four run at once, and the fifth when one of them has ended.
enum SubmitSeveral: Program {
    static let about = "apply_async: calls that give their results later"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        try await withPool(stage.backend, workers: 4) { pool in
            let futures = (1...5).map { number in
                pool.submit {
                    try await Task.sleep(for: nap)
                    return "call \(number) finished"
                }
            }
            var lines: [String] = []
            for future in futures { lines.append(try await future.value(timeout: .seconds(60))) }
            for line in lines { say(line) }
            try expect(lines, is: (1...5).map { "call \($0) finished" }, "the results")
        }
    }
}
