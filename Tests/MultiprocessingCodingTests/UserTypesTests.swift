import MultiprocessingCoding
import Testing

@Suite("Types of users")
struct UserTypesTests {
    enum Shape: Codable, Equatable {
        case empty
        case circle(radius: Double)
        case rectangle(width: Int, height: Int?)
        case unlabeled(String, [Int])
        indirect case pair(Shape, Shape)
        case named(name: String, of: [String: Shape])
    }

    enum Color: String, Codable { case red, green, blue }
    enum Level: Int, Codable {
        case low = -1
        case high = 1000
    }

    indirect enum Tree: Codable, Equatable {
        case leaf
        case node(Tree, Int, Tree)

        static func ofDepth(_ depth: Int) -> Tree {
            depth == 0 ? .leaf : .node(ofDepth(depth - 1), depth, ofDepth(depth - 1))
        }
    }

    final class Link: Codable, Equatable {
        let value: Int
        let next: Link?

        init(_ value: Int, _ next: Link?) {
            self.value = value
            self.next = next
        }

        static func == (a: Link, b: Link) -> Bool { a.value == b.value && a.next == b.next }
    }

    @Test func enumsWithPayloads() throws {
        let shapes: [Shape] = [
            .empty, .circle(radius: 1.5), .rectangle(width: 3, height: nil), .rectangle(width: 3, height: 4),
            .unlabeled("text", [1, 2]), .pair(.circle(radius: 1), .pair(.empty, .empty)),
            .named(name: "n", of: ["x": .empty, "y": .circle(radius: 2)]),
        ]
        try expectRoundTrip(shapes)
        for shape in shapes { try expectRoundTrip(shape) }
    }

    @Test func rawValueEnums() throws {
        try expectRoundTrip([Color.red, .blue])
        try expectRoundTrip([Level.low, .high])
        try expectRoundTrip([Color.red: Level.low])
        #expect(throws: DecodingError.self) { try decoded(Color.self, encoded("purple")) }
    }

    @Test func recursiveValues() throws {
        try expectRoundTrip(Tree.ofDepth(8))
        try expectRoundTrip((0..<100).reduce(nil) { Link($1, $0) })
    }

    @Test func nestingHasALimitInBothDirections() throws {
        func chain(_ count: Int) -> Link? { (0..<count).reduce(nil) { Link($1, $0) } }
        #expect(try roundTrip(chain(512)) == chain(512))
        #expect(throws: EncodingError.self) { try encoded(chain(513)) }
        struct Endless: Codable {
            init() {}
            init(from decoder: any Decoder) throws {
                self = try decoder.singleValueContainer().decode(Endless.self)
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(self)
            }
        }
        #expect(throws: EncodingError.self) { try encoded(Endless()) }
        #expect(throws: DecodingError.self) { try decoded(Endless.self, [0]) }
        struct EndlessList: Encodable {
            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                for _ in 0..<600 { list = list.nestedUnkeyedContainer() }
            }
        }
        #expect(throws: EncodingError.self) { try encoded(EndlessList()) }
    }

    @Test func classHierarchies() throws {
        let value = Derived(id: 1, name: "name", tags: ["x"])
        for copy in [try roundTrip(value), try roundTrip([value])[0], try roundTrip(Optional(value))!] {
            #expect(copy.id == 1 && copy.name == "name" && copy.tags == ["x"])
        }
        let shared = DerivedInOneContainer(id: 2, name: "other")
        let copy = try roundTrip(shared)
        #expect(copy.id == 2 && copy.name == "other")
    }

    @Test func superDecoderWithoutSuperclassPartIsNil() throws {
        try withDecoder(encoded(Box(value: 1))) { decoder throws in
            let container = try decoder.container(keyedBy: AnyKey.self)
            #expect(try container.superDecoder().singleValueContainer().decodeNil())
            #expect(try container.superDecoder(forKey: "missing").singleValueContainer().decodeNil())
        }
    }

    class Base: Codable {
        let id: Int

        init(id: Int) { self.id = id }
    }

    final class Derived: Base {
        private enum Keys: String, CodingKey { case name, tags, tagsParent }

        let name: String
        let tags: [String]

        init(id: Int, name: String, tags: [String]) {
            self.name = name
            self.tags = tags
            super.init(id: id)
        }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            name = try container.decode(String.self, forKey: .name)
            tags = try container.decode([String].self, forKey: .tags)
            #expect(try Base(from: container.superDecoder(forKey: .tagsParent)).id == 99)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try super.encode(to: container.superEncoder())
            try container.encode(name, forKey: .name)
            try Base(id: 99).encode(to: container.superEncoder(forKey: .tagsParent))
            try container.encode(tags, forKey: .tags)
        }
    }

    final class DerivedInOneContainer: Base {
        private enum Keys: CodingKey { case name }

        let name: String

        init(id: Int, name: String) {
            self.name = name
            super.init(id: id)
        }

        required init(from decoder: any Decoder) throws {
            name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
            try super.init(from: decoder)
        }

        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(name, forKey: .name)
        }
    }

    @Test func conditionalEncoding() throws {
        let object = Base(id: 4)
        let value = Custom { encoder in
            var list = encoder.unkeyedContainer()
            try list.encodeConditional(object)
            var keyed = list.nestedContainer(keyedBy: AnyKey.self)
            try keyed.encodeConditional(object, forKey: "object")
        }
        try withDecoder(encoded(value)) { decoder throws in
            var list = try decoder.unkeyedContainer()
            #expect(try list.decode(Base.self).id == 4)
            #expect(try list.decode([String: Base].self)["object"]?.id == 4)
        }
    }
}

extension UserTypesTests {
    /// A value that keeps its decoder, or a container of it, and asks them later.
    private final class Keeper: Decodable {
        let decoder: any Decoder
        let container: any UnkeyedDecodingContainer
        let number: Int

        init(from decoder: any Decoder) throws {
            self.decoder = decoder
            var container = try decoder.unkeyedContainer()
            number = try container.decode(Int.self)
            self.container = container
        }
    }

    @Test func aDecoderThatIsKeptNeverSeesOtherBytes() throws {
        let keys = ReceivedKeys()
        func decode<T: Decodable>(_ type: T.Type, _ value: some Encodable) throws -> T {
            let buffer = ByteBuffer()
            try BinaryEncoder().encode(value, into: buffer)
            return try buffer.withUnsafeBytes { try BinaryDecoder(keys: keys).decode(type, from: $0) }
        }
        #expect(try decode([[String]].self, [["a"], ["b"]]) == [["a"], ["b"]])
        let keeper = try decode(Keeper.self, [1, 2])
        for _ in 0..<3 { #expect(try decode([[String]].self, [["c"], ["d"]]) == [["c"], ["d"]]) }
        #expect(keeper.number == 1)
        #expect(throws: DecodingError.self) { try keeper.decoder.unkeyedContainer() }
        var container = keeper.container
        #expect(throws: DecodingError.self) { try container.decode(Int.self) }
    }

    @Test func manyValuesOfOneSessionAreAsThoseOfMany() throws {
        let session = EncodingSession(into: ByteBuffer())
        struct Refused: Encodable, Error {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode("half")
                throw self
            }
        }
        var expected: [UInt8] = []
        for number in 0..<10 {
            try session.encode(["number": [number]])
            #expect(throws: Refused.self) { try session.encode(["refused": Refused()]) }
            expected += try encoded(["number": [number]])
        }
        #expect(session.buffer.withUnsafeBytes { Array($0) } == expected)
    }
}
