import Multiprocessing

/// A namespace, a list and a dictionary live in a manager; a child changes all three.
enum ManagedState: Program {
    static let about = "a namespace, a list and a dictionary that a manager hosts"

    static func run(on stage: Stage) async throws {
        let manager = try await Manager(stage.backend)
        let names = try await manager.namespace()
        try await names.set("a", 3)
        let list = try await manager.array(of: String.self)
        try await list.append("a")
        let table = try await manager.dictionary(of: String.self, Int.self)
        try await table.set("b", 2)

        let child = try ChildProcess(stage.backend, (names, list, table)) { (names, list, table) in
            let a = names["a", as: Int.self]
            if let value = try await a.get() { try await a.set(value * value) }
            try await list.append(contentsOf: ["b", "c"])
            try await table.set("b", 0)
        }
        say(child.processID.map { "process \($0)" } ?? "a thread")
        try await child.value

        let a = try await names["a", as: Int.self].get()
        let (elements, contents) = (try await list.elements, try await table.all)
        say("a = \(a ?? 0)")
        say("\(elements)")
        say("\(contents)")
        try expect(a, is: 9, "a")
        try expect(elements, is: ["a", "b", "c"], "the list")
        try expect(contents, is: ["b": 0], "the dictionary")
        await manager.shutDown()
    }
}
