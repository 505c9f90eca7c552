import Multiprocessing

/// The work of an object is done in a pool: by a function of its own, by a value's method, by its own method.
///
/// In Python the first fails on processes already. Here only the last does, because a copy of the object in a worker
/// would not be the object; the error says so before anything has run, and what to write instead.
enum Methods: Program {
    static let about = "methods of objects as work"

    /// An object with inputs, and a pool to work on them.
    final class Batch: Sendable {
        let inputs = 0..<10
        let step: Step

        init(step: Int) { self.step = Step(size: step) }

        /// A function inside a method.
        func runFunction(in pool: Pool) async throws -> [Int] {
            @Sendable func next(_ number: Int) -> Int { number + 1 }
            return try await pool.map(inputs, next)
        }

        /// The method of a value, which is sent with the value.
        func runMethodOfValue(in pool: Pool) async throws -> [Int] {
            try await pool.map(inputs, step.after)
        }

        /// The object's own method.
        func runOwnMethod(in pool: Pool) async throws -> [Int] {
            try await pool.map(inputs) { self.after($0) }
        }

        /// Only that part of the object which the work needs.
        func runWithPart(in pool: Pool) async throws -> [Int] {
            try await pool.map(inputs) { [step] in step.after($0) }
        }

        private func after(_ number: Int) -> Int { step.after(number) }
    }

    /// A value with a method.
    struct Step {
        let size: Int

        func after(_ number: Int) -> Int { number + size }
    }

    static func run(on stage: Stage) async throws {
        let batch = Batch(step: 1)
        let pool = try Pool(stage.backend, workers: 4)
        try show(try await batch.runFunction(in: pool), "a function in a method")
        try show(try await batch.runMethodOfValue(in: pool), "a method of a value")
        do {
            try show(try await batch.runOwnMethod(in: pool), "a method of an object")
            try insist(!stage.isOnProcesses, "an object's method ran in another process than the object's")
        } catch let error as PoolError where error.code == .notPortable {
            try insist(stage.isOnProcesses, "a method was refused on threads")
            say("a method of an object: refused, with the reason and the cure:")
            sayWrapped("\(error)")
        }
        try show(try await batch.runWithPart(in: pool), "the part that it needs")
        await pool.shutDown()
    }

    private static func show(_ numbers: [Int], _ work: String) throws {
        say("\(work): \(numbers)")
        try expect(numbers, is: Array(1...10), work)
    }
}
