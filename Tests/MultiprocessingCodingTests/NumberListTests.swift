import MultiprocessingCoding
import Testing

@Suite("Lists of numbers")
struct NumberListTests {
    @Test func everyNumberTypeTravelsRaw() throws {
        func check<N: Codable & Equatable & BitwiseCopyable>(_ numbers: [N]) throws {
            let bytes = try encoded(numbers)
            #expect(bytes.count == 3 + numbers.count * MemoryLayout<N>.size)
            try expectRoundTrip(numbers)
            try expectRoundTrip(ContiguousArray(numbers))
            try expectRoundTrip([numbers, [], numbers])
            #expect(try encoded(Array(numbers.dropFirst())).count == bytes.count - MemoryLayout<N>.size)
            // A list of them one by one is the same list.
            let oneByOne = Custom { encoder in
                var container = encoder.unkeyedContainer()
                for number in numbers { try container.encode(number) }
            }
            #expect(try decoded([N].self, encoded(oneByOne)) == numbers)
        }
        try check([Int.min, -1, 0, 1, .max])
        try check([Int8.min, -1, 0, 1, .max])
        try check([Int16.min, -1, 0, 1, .max])
        try check([Int32.min, -1, 0, 1, .max])
        try check([Int64.min, -1, 0, 1, .max])
        try check([Int128.min, -1, 0, 1, .max])
        try check([UInt.min, 1, .max])
        try check([UInt8.min, 1, .max])
        try check([UInt16.min, 1, .max])
        try check([UInt32.min, 1, .max])
        try check([UInt64.min, 1, .max])
        try check([UInt128.min, 1, .max])
        try check([Float16(0), 1.5, -.infinity])
        try check([Float(0), 1.5, -.infinity])
        try check([0, 1.5, -.infinity])
    }

    @Test func vectors() throws {
        try expectRoundTrip(SIMD2<Float>(1, 2))
        try expectRoundTrip(SIMD3<Double>(1, 2, 3))
        try expectRoundTrip(SIMD4<Int32>(1, 2, 3, -4))
        try expectRoundTrip(SIMD8<UInt8>(repeating: 200))
        try expectRoundTrip(SIMD16<Int16>(repeating: -3))
        try expectRoundTrip(SIMD32<Float16>(repeating: 1.5))
        try expectRoundTrip(SIMD64<Int>(repeating: .min))
        try expectRoundTrip([SIMD3<Float>(1, 2, 3), SIMD3<Float>(4, 5, 6)])
        #expect(throws: DecodingError.self) { try decoded(SIMD4<Int>.self, encoded(SIMD3<Int>(1, 2, 3))) }
        #expect(throws: (any Error).self) { try decoded(SIMD2<Int>.self, encoded([1, 2, 3])) }
    }

    @Test func numbersAreReadAsOtherLists() throws {
        #expect(try decoded(Set<Int>.self, encoded([1, 2, 3])) == [1, 2, 3])
        #expect(try decoded([Int].self, encoded([1, 2, 3] as [UInt8])) == [1, 2, 3])
        #expect(try decoded([UInt8].self, encoded([1, 2, 255])) == [1, 2, 255])
        #expect(try decoded([Single<Int>].self, encoded([1, 2])).map(\.value) == [1, 2])
        #expect(try decoded([Int?].self, encoded([1, 2])) == [1, 2])
        #expect(try decoded([Double].self, encoded([1, 2])) == [1, 2])
        #expect(throws: DecodingError.self) { try decoded([UInt8].self, encoded([256])) }
        #expect(throws: DecodingError.self) { try decoded([String].self, encoded([1])) }
        #expect(throws: DecodingError.self) { try decoded([[Int]].self, encoded([1])) }
        #expect(throws: DecodingError.self) { try decoded([Box<Int>].self, encoded([1])) }
    }

    @Test func aSequenceIsOneRun() throws {
        let value = Custom { encoder in
            var container = encoder.unkeyedContainer()
            try container.encode(contentsOf: [1, 2, 3] as [UInt8])
            try container.encode(contentsOf: [] as [UInt8])
            try container.encode("middle")
            try container.encode(contentsOf: [4.5, 5.5])
            try container.encode(contentsOf: (6...7).lazy.map { $0 })
            try container.encode(contentsOf: [true, false])
            #expect(container.count == 10)
        }
        try withDecoder(encoded(value)) { decoder throws in
            var container = try decoder.unkeyedContainer()
            #expect(container.count == 10)
            #expect(try container.decode(Int.self) == 1)
            #expect(try !container.decodeNil())
            #expect(try container.decode(UInt8.self) == 2)
            #expect(try container.decode(UInt8?.self) == 3)
            #expect(container.currentIndex == 3)
            #expect(throws: DecodingError.self) { try container.decode(Int.self) }
            #expect(try container.decode(String.self) == "middle")
            #expect(try container.decode(Double.self) == 4.5)
            #expect(throws: DecodingError.self) { try container.nestedUnkeyedContainer() }
            #expect(try container.decode(Double.self) == 5.5)
            #expect(try container.decode(Int.self) == 6)
            #expect(try container.decodeIfPresent(Int.self) == 7)
            #expect(try container.decode(Bool.self))
            #expect(!container.isAtEnd)
            #expect(try !container.decode(Bool.self))
            #expect(container.isAtEnd)
            #expect(try container.decodeIfPresent(Int.self) == nil)
            #expect(throws: DecodingError.self) { try container.decodeNil() }
        }
    }

    @Test func userTypesKeepTheirOwnCoding() throws {
        struct Negated: Codable, Equatable {
            var value: Int

            init(_ value: Int) { self.value = value }

            init(from decoder: any Decoder) throws {
                value = -(try decoder.singleValueContainer().decode(Int.self))
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(-value)
            }
        }
        try expectRoundTrip([Negated(1), Negated(2)])
        #expect(try decoded([Int].self, encoded([Negated(1), Negated(2)])) == [-1, -2])
    }
}
