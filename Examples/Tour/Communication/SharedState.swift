import Multiprocessing

/// A child changes a number and an array that its parent made.
enum SharedState: Program {
    static let about = "a value and an array in shared memory"

    static func run(on stage: Stage) async throws {
        let (number, array) = (try SharedValue(0.0), try SharedArray(0..<10))
        let child = try ChildProcess(stage.backend, (number, array)) { (number, array) in
            try number.store(3.1415927)
            try array.withLock { elements in
                for index in elements.indices { elements[index] = -elements[index] }
            }
        }
        try await child.value
        say("\(try await number.load())")
        say("\(array.elements)")
        try expect(try await number.load(), is: 3.1415927, "the number")
        try expect(array.elements, is: (0..<10).map { -$0 }, "the array")
    }
}
