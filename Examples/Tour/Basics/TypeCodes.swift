import Multiprocessing

/// Shared values and arrays of each of C's number types; the type takes the place of Python's code for it.
///
/// A list of lists, at which Python stops when it runs, does not compile: `[Int32]` is not `BitwiseCopyable`.
enum TypeCodes: Program {
    static let about = "the types of shared values and arrays"

    static func run(on stage: Stage) async throws {
        let pool = try Pool(stage.backend, workers: 2)
        try await show("b", Int8.self, pool)
        try await show("B", UInt8.self, pool)
        try await show("u", Unicode.Scalar.self, "x", pool)
        try await show("h", Int16.self, pool)
        try await show("H", UInt16.self, pool)
        try await show("i", Int32.self, pool)
        try await show("I", UInt32.self, pool)
        try await show("l", Int.self, pool)
        try await show("L", UInt.self, pool)
        try await show("q", Int64.self, pool)
        try await show("Q", UInt64.self, pool)
        try await show("f", Float.self, 2.5, pool)
        try await show("d", Double.self, 3.14, pool)

        let (number, array) = (try SharedValue(3.14), try SharedArray<Int32>([1, 2, 3, 4]))
        try await pool.forEach(array.indices) { array[$0] += 10 }
        say("\(try await number.load()) \(array.elements)")
        try expect(array.elements, is: [11, 12, 13, 14], "the array")
        await pool.shutDown()
    }

    private static func show<Number: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ code: String, _ type: Number.Type, _ pool: Pool
    ) async throws {
        try await show(code, type, Number.max, pool)
    }

    /// Has a worker store a value that was zero, and read it from an array.
    private static func show<Number: BitwiseCopyable & Sendable & Equatable>(
        _ code: String, _ type: Number.Type, _ number: Number, _ pool: Pool
    ) async throws {
        let (value, array) = (try SharedValue(number), try SharedArray<Number>(count: 1))
        try await pool.run { array[0] = try value.load() }
        say("\(code)  \(type), \(MemoryLayout<Number>.size) bytes: \(array[0])")
        try expect(array[0], is: number, "the \(type)")
    }
}
