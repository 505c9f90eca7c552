import Multiprocessing
import TestSupport
import Testing

/// Whose `Codable` a capture goes by, on both backends.
@Suite(.admitted(for: .seconds(300)))
struct CodedCaptureTests {
    /// A coding that loses a property.
    struct Lossy: Codable, Sendable {
        var number: Int
        var cache: [Int]

        init(number: Int, cache: [Int]) {
            self.number = number
            self.cache = cache
        }

        init(from decoder: any Decoder) throws {
            number = try decoder.singleValueContainer().decode(Int.self)
            cache = []
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(number)
        }
    }

    /// A value that is a place in a table of its process.
    struct Handle: Portable {
        static let names = [1: "one", 2: "two"]
        let place: Int

        var name: String { Self.names[place] ?? "" }

        init(place: Int) {
            self.place = place
        }

        init(from decoder: any Decoder) throws {
            let name = try decoder.singleValueContainer().decode(String.self)
            place = Self.names.first { $0.value == name }?.key ?? 0
        }

        func encode(to encoder: any Encoder) throws {
            guard place > 0 else { throw Unknown() }
            var container = encoder.singleValueContainer()
            try container.encode(name)
        }
    }

    struct Unknown: Error {}

    @Test(arguments: TestBackend.allCases)
    func `A captured structure arrives whole, whatever its coding leaves out`(_ backend: TestBackend) async throws {
        let (value, number) = (Lossy(number: opaque(1), cache: [opaque(2)]), opaque(3))
        let (optional, list, map): (Lossy?, [Lossy], [String: Lossy]) = (value, [value], ["a": value])
        try await backend.withPool { pool async throws in
            #expect(try await pool.run { value.cache + [value.number] } == [2, 1])
            #expect(try await pool.run { value.cache + [value.number, number] } == [2, 1, 3])
            #expect(try await pool.run { (optional?.cache ?? []) + [number] } == [2, 3])
            #expect(try await pool.run { list[0].cache + [list[0].number] } == [2, 1])
            #expect(try await pool.run { list[0].cache + [list[0].number, number] } == [2, 1, 3])
            #expect(try await pool.run { (map["a"]?.cache ?? []) + [number] } == [2, 3])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `A Portable type goes by its coding`(_ backend: TestBackend) async throws {
        let (handle, number) = (Handle(place: opaque(2)), opaque(3))
        try await backend.withPool { pool async throws in
            #expect(try await pool.run { "\(handle.name) \(number)" } == "two 3")
            #expect(try await pool.run { handle.name } == "two")
        }
    }

    @Test func `A Portable type whose coding fails is refused`() async throws {
        let handle = Handle(place: opaque(0))
        let error = try await #require(throws: PoolError.self) {
            try await CapturePool.shared.run { handle.name }
        }
        #expect(error.code == .notPortable)
        #expect(error.message.contains("captured value of type PoolTests.CodedCaptureTests.Handle"))
    }
}
