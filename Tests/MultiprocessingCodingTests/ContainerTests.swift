import MultiprocessingCoding
import Testing

@Suite("Containers used by hand")
struct ContainerTests {
    enum Keys: String, CodingKey, CaseIterable { case a, b, c, d, e }
    enum OtherKeys: String, CodingKey { case e, d, c, b, a, z }

    @Test func fieldsInAnyOrder() throws {
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            for (index, key) in Keys.allCases.enumerated() { try container.encode(index, forKey: key) }
        }
        try withDecoder(encoded(value)) { decoder throws in
            for order in [Keys.allCases, Keys.allCases.reversed(), [.c, .a, .e, .c, .c, .b, .d]] {
                let container = try decoder.container(keyedBy: Keys.self)
                for key in order {
                    #expect(container.contains(key))
                    #expect(try !container.decodeNil(forKey: key))
                    #expect(try container.decode(Int.self, forKey: key) == Keys.allCases.firstIndex(of: key))
                }
            }
            #expect(try decoder.container(keyedBy: Keys.self).allKeys == Keys.allCases)
        }
    }

    @Test func otherKeyTypesFindTheSameFields() throws {
        let interned = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            for (index, key) in Keys.allCases.enumerated() { try container.encode(index, forKey: key) }
        }
        let inline = Custom { encoder in
            var container = encoder.container(keyedBy: AnyKey.self)
            for (index, key) in Keys.allCases.enumerated() {
                try container.encode(index, forKey: AnyKey(stringValue: key.rawValue))
            }
        }
        for value in [interned, inline] {
            try withDecoder(encoded(value)) { decoder throws in
                let enumeration = try decoder.container(keyedBy: OtherKeys.self)
                #expect(try enumeration.decode(Int.self, forKey: .e) == 4)
                #expect(try enumeration.decode(Int.self, forKey: .a) == 0)
                #expect(!enumeration.contains(.z))
                #expect(Set(enumeration.allKeys) == [.a, .b, .c, .d, .e])
                let dynamic = try decoder.container(keyedBy: AnyKey.self)
                #expect(try dynamic.decode(Int.self, forKey: "d") == 3)
                #expect(try dynamic.decode(Int.self, forKey: "b") == 1)
                #expect(dynamic.allKeys.map(\.stringValue) == ["a", "b", "c", "d", "e"])
            }
            #expect(try decoded([String: Int].self, encoded(value)) == ["a": 0, "b": 1, "c": 2, "d": 3, "e": 4])
        }
    }

    @Test func integerKeys() throws {
        enum IntegerKeys: Int, CodingKey {
            case one = 1
            case two = 2
            case many = 1000
        }
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: IntegerKeys.self)
            try container.encode("1", forKey: .one)
            try container.encode("1000", forKey: .many)
        }
        try withDecoder(encoded(value)) { decoder throws in
            let container = try decoder.container(keyedBy: IntegerKeys.self)
            #expect(try container.decode(String.self, forKey: .many) == "1000")
            #expect(container.allKeys == [.one, .many])
            let dynamic = try decoder.container(keyedBy: AnyKey.self)
            #expect(try dynamic.decode(String.self, forKey: AnyKey(stringValue: "many")) == "1000")
        }
        #expect(try decoded([String: Int].self, encoded([1: 2])) == ["1": 2])
        #expect(try decoded([Int: Int].self, encoded(["1": 2, "-7": 3])) == [1: 2, -7: 3])
    }

    @Test func aKeyUsedTwiceKeepsTheLastValue() throws {
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode("first", forKey: .a)
            var lost = container.nestedUnkeyedContainer(forKey: .c)
            try lost.encode(1)
            try container.encode("b", forKey: .b)
            var kept = container.nestedUnkeyedContainer(forKey: .d)
            try container.encode("second", forKey: .a)
            try container.encode("third", forKey: .a)
            try container.encode("c", forKey: .c)
            try kept.encode("kept")
            var again = container.nestedUnkeyedContainer(forKey: .d)
            try again.encode("again")
            var dynamic = encoder.container(keyedBy: AnyKey.self)
            try dynamic.encode(1, forKey: "x")
            try dynamic.encode(2, forKey: "x")
        }
        try withDecoder(encoded(value)) { decoder throws in
            let container = try decoder.container(keyedBy: Keys.self)
            #expect(try container.decode(String.self, forKey: .a) == "third")
            #expect(try container.decode(String.self, forKey: .b) == "b")
            #expect(try container.decode(String.self, forKey: .c) == "c")
            #expect(try container.decode([String].self, forKey: .d) == ["kept", "again"])
            let dynamic = try decoder.container(keyedBy: AnyKey.self)
            #expect(try dynamic.decode(Int.self, forKey: "x") == 2)
            #expect(dynamic.allKeys.count == 5)
        }
    }

    @Test func nestedContainersMayAlternate() throws {
        let value = Custom { encoder in
            var list = encoder.unkeyedContainer()
            try list.encode(0)
            var keyed = list.nestedContainer(keyedBy: Keys.self)
            var numbers = list.nestedUnkeyedContainer()
            for round in 0..<300 {
                try numbers.encode(round)
                try list.encode("round \(round)")
                if round == 1 { try keyed.encode(true, forKey: .a) }
            }
            try Box(value: "super").encode(to: list.superEncoder())
            var inner = keyed.nestedContainer(keyedBy: OtherKeys.self, forKey: .b)
            var innermost = inner.nestedUnkeyedContainer(forKey: .z)
            try keyed.encode("after", forKey: .c)
            try innermost.encode("deep")
            #expect(list.count == 304)
            #expect(numbers.codingPath.map(\.stringValue) == ["Index 2"])
            #expect(innermost.codingPath.map(\.stringValue) == ["Index 1", "b", "z"])
        }
        try withDecoder(encoded(value)) { decoder throws in
            var list = try decoder.unkeyedContainer()
            #expect(list.count == 304)
            #expect(try list.decode(Int.self) == 0)
            let keyed = try list.nestedContainer(keyedBy: Keys.self)
            var numbers = try list.nestedUnkeyedContainer()
            #expect(numbers.count == 300)
            for round in 0..<300 {
                #expect(try list.decode(String.self) == "round \(round)")
                #expect(try numbers.decode(Int.self) == round)
            }
            #expect(numbers.isAtEnd)
            #expect(try Box<String>(from: list.superDecoder()) == Box(value: "super"))
            #expect(list.isAtEnd)
            let inner = try keyed.nestedContainer(keyedBy: OtherKeys.self, forKey: .b)
            var innermost = try inner.nestedUnkeyedContainer(forKey: .z)
            #expect(innermost.codingPath.map(\.stringValue) == ["Index 1", "b", "z"])
            #expect(try innermost.decode(String.self) == "deep")
            #expect(try keyed.decode(Bool.self, forKey: .a))
            #expect(try keyed.decode(String.self, forKey: .c) == "after")
        }
    }

    @Test func aValueMayEncodeNothing() throws {
        struct Nothing: Codable, Equatable {
            init() {}
            init(from decoder: any Decoder) {}
            func encode(to encoder: any Encoder) {}
        }
        struct Empty: Codable, Equatable {}
        try expectRoundTrip(Nothing())
        try expectRoundTrip(Empty())
        try expectRoundTrip([Nothing(), Nothing()])
        try expectRoundTrip([Empty(), nil] as [Empty?])
        #expect(try decoded(Empty.self, encoded(Nothing())) == Empty())
        #expect(try decoded([Int].self, encoded(Nothing())) == [])
        #expect(throws: DecodingError.self) { try decoded(Int.self, encoded(Nothing())) }
    }

    @Test func emptyContainers() throws {
        let value = Custom { encoder in
            var list = encoder.unkeyedContainer()
            _ = list.nestedContainer(keyedBy: Keys.self)
            _ = list.nestedUnkeyedContainer()
            _ = list.superEncoder()
        }
        try withDecoder(encoded(value)) { decoder throws in
            var list = try decoder.unkeyedContainer()
            #expect(try list.nestedContainer(keyedBy: Keys.self).allKeys.isEmpty)
            #expect(try list.nestedUnkeyedContainer().isAtEnd)
            #expect(try list.superDecoder().container(keyedBy: Keys.self).allKeys.isEmpty)
            #expect(list.isAtEnd)
        }
    }

    @Test func severalContainersOfOneKindAreOne() throws {
        let value = Custom { encoder in
            var first = encoder.container(keyedBy: Keys.self)
            var second = encoder.container(keyedBy: OtherKeys.self)
            try first.encode(1, forKey: .a)
            try second.encode(2, forKey: .z)
            try first.encode(3, forKey: .b)
        }
        #expect(try decoded([String: Int].self, encoded(value)) == ["a": 1, "z": 2, "b": 3])
        let list = Custom { encoder in
            var first = encoder.unkeyedContainer()
            var second = encoder.unkeyedContainer()
            try first.encode(1)
            try second.encode(2)
            try first.encode(3)
        }
        #expect(try decoded([Int].self, encoded(list)) == [1, 2, 3])
    }

    @Test func decodingTwiceFromOneDecoder() throws {
        try withDecoder(encoded(Box(value: [1.5]))) { decoder throws in
            for _ in 0..<2 {
                #expect(try Box<[Double]>(from: decoder) == Box(value: [1.5]))
                #expect(try decoder.singleValueContainer().decode(Box<[Double]>.self) == Box(value: [1.5]))
            }
        }
        try withDecoder(encoded(["a", "b"])) { decoder throws in
            for _ in 0..<2 { #expect(try [String](from: decoder) == ["a", "b"]) }
        }
    }

    @Test func manyFieldsInWorstOrder() throws {
        let table = Dictionary(uniqueKeysWithValues: (0..<3000).map { ("key \($0)", $0) })
        try withDecoder(encoded(table)) { decoder throws in
            let container = try decoder.container(keyedBy: AnyKey.self)
            for key in container.allKeys.reversed() {
                #expect(try container.decode(Int.self, forKey: key) == table[key.stringValue])
            }
            #expect(!container.contains("none"))
        }
    }

    @Test func userInfoArrives() throws {
        let key = try #require(CodingUserInfoKey(rawValue: "key"))
        let value = Custom { encoder in
            var list = encoder.unkeyedContainer()
            try list.encode(Custom { #expect($0.userInfo[key] as? Int == 5) })
            #expect(list.superEncoder().userInfo[key] as? Int == 5)
        }
        try BinaryEncoder(userInfo: [key: 5]).encode(value, into: ByteBuffer())
    }

    @Test func misuseIsAnErrorNotATrap() throws {
        func refuse(_ body: @escaping (any Encoder) throws -> Void, _ location: SourceLocation = #_sourceLocation) {
            #expect(throws: EncodingError.self, sourceLocation: location) { try encoded([Custom(body: body)]) }
        }
        refuse { encoder in
            var container = encoder.singleValueContainer()
            try container.encode(1)
            try container.encode(2)
        }
        refuse { encoder in
            _ = encoder.container(keyedBy: Keys.self)
            _ = encoder.unkeyedContainer()
        }
        refuse { encoder in
            var list = encoder.unkeyedContainer()
            var keyed = encoder.container(keyedBy: Keys.self)
            try? keyed.encode(1, forKey: .a)
            try list.encode(1)
        }
        refuse { encoder in
            var list = encoder.unkeyedContainer()
            var single = encoder.singleValueContainer()
            try list.encode(1)
            try single.encode(1)
        }
        refuse { encoder in
            var list = encoder.unkeyedContainer()
            var same = encoder.unkeyedContainer()
            try list.encode(Custom { _ in try same.encode(1) })
        }
        refuse { encoder in
            var list = encoder.unkeyedContainer()
            try list.encode(Custom { _ in _ = encoder.unkeyedContainer() })
        }
        refuse { encoder in
            var list = encoder.unkeyedContainer()
            let inner = list.superEncoder()
            _ = inner.unkeyedContainer()
            _ = inner.container(keyedBy: Keys.self)
        }
    }

    @Test func whatOutlivesItsValueIsRefused() throws {
        var keptEncoder: (any Encoder)?
        var keptList: (any UnkeyedEncodingContainer)?
        let bytes = try encoded([
            Custom { encoder in
                keptEncoder = encoder
                var list = encoder.unkeyedContainer()
                keptList = list.nestedUnkeyedContainer()
                try keptList?.encode(1)
            },
            Custom { encoder in
                var list = encoder.unkeyedContainer()
                try list.encode(2)
                #expect(throws: EncodingError.self) { try keptList?.encode(3) }
                #expect(throws: EncodingError.self) { try 3.encode(to: #require(keptEncoder)) }
            },
        ])
        #expect(throws: EncodingError.self) { try keptList?.encode(4) }
        try withDecoder(bytes) { decoder throws in
            var list = try decoder.unkeyedContainer()
            #expect(try list.decode([[Int]].self) == [[1]])
            #expect(try list.decode([Int].self) == [2])
        }

        let (decoder, container, list) = try withDecoder(encoded(["a": [1, 2]])) { decoder throws in
            let container = try decoder.container(keyedBy: AnyKey.self)
            return (decoder, container, try container.nestedUnkeyedContainer(forKey: "a"))
        }
        var rest = list
        #expect(throws: DecodingError.self) { try rest.decode(Int.self) }
        #expect(throws: DecodingError.self) { try container.decode([Int].self, forKey: "a") }
        #expect(throws: DecodingError.self) { try decoder.singleValueContainer().decode([String: [Int]].self) }
        #expect(container.allKeys.isEmpty)
        _ = (decoder.codingPath, rest.codingPath, container.codingPath)
    }

    @Test func aCaughtErrorLeavesNoTrace() throws {
        struct Failure: Error {}
        let failing = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode("partial", forKey: .a)
            var nested = container.nestedUnkeyedContainer(forKey: .b)
            try nested.encode(1)
            throw Failure()
        }
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            #expect(throws: Failure.self) { try container.encode(failing, forKey: .a) }
            #expect(throws: Failure.self) { try container.encodeIfPresent(failing, forKey: .e) }
            var list = container.nestedUnkeyedContainer(forKey: .b)
            try list.encode(1)
            #expect(throws: Failure.self) { try list.encode(failing) }
            try list.encode(2)
            try container.encode(
                Custom { encoder in
                    var single = encoder.singleValueContainer()
                    #expect(throws: Failure.self) { try single.encode(failing) }
                    try single.encode("retried")
                }, forKey: .c)
        }
        try withDecoder(encoded(value)) { decoder throws in
            let container = try decoder.container(keyedBy: Keys.self)
            #expect(Set(container.allKeys) == [.b, .c])
            #expect(try container.decode([Int].self, forKey: .b) == [1, 2])
            #expect(try container.decode(String.self, forKey: .c) == "retried")
        }
    }

    @Test func aFailedEncodingLeavesTheBufferAsItWas() throws {
        struct Failure: Error {}
        let buffer = ByteBuffer()
        try BinaryEncoder().encode("before", into: buffer)
        let before = buffer.withUnsafeBytes { Array($0) }
        let value = Custom { encoder in
            var container = encoder.unkeyedContainer()
            try container.encode(Array(repeating: 1, count: 10_000))
            throw Failure()
        }
        #expect(throws: Failure.self) { try BinaryEncoder().encode(value, into: buffer) }
        #expect(buffer.withUnsafeBytes { Array($0) } == before)
    }
}
