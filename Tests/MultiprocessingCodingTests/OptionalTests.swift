import MultiprocessingCoding
import Testing

@Suite("Optionals")
struct OptionalTests {
    static let deep: [Int???] = [.none, .some(.none), .some(.some(.none)), 5]

    struct Fields: Codable, Equatable {
        var plain: Int?
        var deep: Int??
        var deeper: Int???
        var text: String?
        var list: [Int?]
        var table: [String: Int??]
        var last = true
    }

    @Test(arguments: deep)
    func everyLevelOfNil(_ value: Int???) throws {
        #expect(try roundTrip(value) == value)
        #expect(try roundTrip([value, value]) == [value, value])
        #expect(try roundTrip(["k": value]) == ["k": value])
        #expect(try roundTrip([1.5: value]) == [1.5: value])
        #expect(try roundTrip(Single(value: value)).value == value)
        #expect(try roundTrip(Box(value: value)).value == value)
        #expect(try roundTrip(Optional(Single(value: value)))?.value == value)
        #expect(try roundTrip(Optional(Optional(Box(value: value))))??.value == value)
    }

    @Test func everyCombinationInAStruct() throws {
        for plain in [nil, 1] as [Int?] {
            for deeper in Self.deep {
                for deep in [.none, .some(.none), 3] as [Int??] {
                    let value = Fields(
                        plain: plain, deep: deep, deeper: deeper, text: plain.map(String.init), list: [nil, plain, 2],
                        table: ["a": deep, "b": nil, "c": .some(nil)])
                    try expectRoundTrip(value)
                }
            }
        }
    }

    @Test func arraysOfOptionals() throws {
        try expectRoundTrip([nil, 1, nil, 2, nil] as [Int?])
        try expectRoundTrip([nil, "x"] as [String?])
        try expectRoundTrip([nil, [], [nil], [1, nil]] as [[Int?]?])
        try expectRoundTrip([nil, .some(nil), .some(true)] as [Bool??])
    }

    @Test func nilIsNotConsumedUnlessThere() throws {
        let bytes = try encoded([nil, 1, nil] as [Int?])
        try withDecoder(bytes) { decoder throws in
            var container = try decoder.unkeyedContainer()
            #expect(try container.decodeNil())
            #expect(try !container.decodeNil())
            #expect(try !container.decodeNil())
            #expect(container.currentIndex == 1)
            #expect(try container.decode(Int.self) == 1)
            #expect(throws: DecodingError.self) { try container.decode(Int.self) }
            #expect(try container.decodeNil())
            #expect(container.isAtEnd)
        }
    }

    @Test func absentFieldsAreAbsent() throws {
        enum Keys: String, CodingKey { case here, absent, null, never }
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            try container.encodeIfPresent(nil as Int?, forKey: .absent)
            try container.encodeNil(forKey: .null)
            try container.encodeIfPresent(3, forKey: .here)
            // What has been written stays.
            try container.encodeIfPresent(nil as Int?, forKey: .here)
        }
        try withDecoder(encoded(value)) { decoder throws in
            let container = try decoder.container(keyedBy: Keys.self)
            #expect(Set(container.allKeys) == [.here, .null])
            #expect(!container.contains(.absent))
            #expect(!container.contains(.never))
            #expect(container.contains(.here))
            #expect(container.contains(.null))
            #expect(try container.decodeNil(forKey: .null))
            #expect(try !container.decodeNil(forKey: .here))
            #expect(throws: DecodingError.self) { try container.decodeNil(forKey: .absent) }
            #expect(throws: DecodingError.self) { try container.decode(Int.self, forKey: .absent) }
            #expect(throws: DecodingError.self) { try container.decode(Int.self, forKey: .null) }
            #expect(try container.decodeIfPresent(Int.self, forKey: .absent) == nil)
            #expect(try container.decodeIfPresent(Int.self, forKey: .never) == nil)
            #expect(try container.decodeIfPresent(String.self, forKey: .null) == nil)
            #expect(try container.decode(Int?.self, forKey: .null) == nil)
            #expect(try container.decode(Int.self, forKey: .here) == 3)
        }
    }

    /// A value that encodes itself as nil is still told from no value.
    @Test func valuesThatAreNilThemselves() throws {
        struct Null: Codable, Equatable {
            init() {}

            init(from decoder: any Decoder) throws {
                guard try decoder.singleValueContainer().decodeNil() else {
                    throw DecodingError.typeMismatch(Null.self, .init(codingPath: [], debugDescription: "not nil"))
                }
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encodeNil()
            }
        }
        try expectRoundTrip(Null())
        try expectRoundTrip([Null(), nil] as [Null?])
        try expectRoundTrip([.some(.some(Null())), .some(nil), nil] as [Null??])
    }
}
