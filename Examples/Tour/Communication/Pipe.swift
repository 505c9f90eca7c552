import Multiprocessing

/// A child sends a list to its parent.
enum Pipe: Program {
    static let about = "two connected ends, one in a child"

    static func run(on stage: Stage) async throws {
        let (here, there) = try Connection<String, [String]>.pair()
        let child = try ChildProcess(stage.backend, there) { end in
            try end.send(["hello"])
            end.close()
        }
        let words = try await here.receive()
        say("\(words)")
        try await child.value
        try expect(words, is: ["hello"], "what the child sent")
    }
}
