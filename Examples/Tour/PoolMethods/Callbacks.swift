import Multiprocessing

/// What is called with a result when it is there, or with the error.
enum Callbacks: Program {
    static let about = "callback and error_callback"

    struct TooLarge: Error, Codable { let number: Int }

    static func run(on stage: Stage) async throws {
        let (calls, call) = AsyncStream.makeStream(of: String.self)
        let pool = try Pool(stage.backend, workers: 2)
        for number in [6, 60] {
            let future = pool.submit {
                if number >= 10 { throw TooLarge(number: number) }
                return number * 7
            }
            future.onCompletion { result in
                switch result {
                case .success(let value): call.yield("the result is \(value)")
                case .failure(let error): call.yield("the error is \(error)")
                }
            }
        }
        await pool.shutDown()
        var lines: [String] = []
        for await line in calls.prefix(2) {
            say(line)
            lines.append(line)
        }
        try expect(lines.sorted(), is: ["the error is TooLarge(number: 60)", "the result is 42"], "the calls")
    }
}
