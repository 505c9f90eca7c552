import MultiprocessingCoding
import Testing

@Suite("Types of the standard library")
struct StandardTypesTests {
    @Test func integersOfAllWidths() throws {
        func check<I: FixedWidthInteger & Codable>(_ type: I.Type) throws {
            var values: Set<I> = [.min, .max, 0, 1]
            for shift in 0..<I.bitWidth {
                for near in [-17, -16, -1, 0, 1] as [Int64] {
                    values.insert((I(1) << I(shift)) &+ I(truncatingIfNeeded: near))
                    values.insert(0 &- (I(1) << I(shift)) &+ I(truncatingIfNeeded: near))
                }
            }
            for value in values {
                #expect(try roundTrip(value) == value)
                #expect(try roundTrip(Box(value: value)).value == value)
            }
            try expectRoundTrip(Array(values))
        }
        try check(Int.self)
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(Int128.self)
        try check(UInt.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
        try check(UInt128.self)
    }

    @Test func smallIntegersTakeOneByte() throws {
        #expect(try encoded(0) == [0])
        #expect(try encoded(127 as UInt64) == [127])
        #expect(try encoded(-1 as Int8) == [0xFF])
        #expect(try encoded(-16) == [0xF0])
        #expect(try encoded(128).count == 2)
        #expect(try encoded(-17).count == 2)
        #expect(try encoded(Int.min).count == 9)
    }

    @Test func integersThatDoNotFitAreRefused() throws {
        #expect(throws: DecodingError.self) { try decoded(Int8.self, encoded(128)) }
        #expect(throws: DecodingError.self) { try decoded(UInt.self, encoded(-1)) }
        #expect(throws: DecodingError.self) { try decoded(Int.self, encoded(UInt64.max)) }
        #expect(try decoded(UInt8.self, encoded(Int128(255))) == 255)
    }

    @Test func floatsBitForBit() throws {
        let doubles: [Double] = [
            0, -0.0, 1, -1, .pi, .infinity, -.infinity, .nan, .signalingNaN, .leastNonzeroMagnitude,
            .greatestFiniteMagnitude, Double(nan: 0x1234, signaling: false), Double(nan: 0x55, signaling: true),
        ]
        for value in doubles {
            #expect(try roundTrip(value).bitPattern == value.bitPattern)
            #expect(try roundTrip(Box(value: value)).value.bitPattern == value.bitPattern)
            #expect(try roundTrip(Single(value: value)).value.bitPattern == value.bitPattern)
        }
        #expect(try roundTrip(doubles).map(\.bitPattern) == doubles.map(\.bitPattern))
        for bits in stride(from: UInt32.min, to: .max - 65_521, by: 65_521 * 13) {
            #expect(try roundTrip(Float(bitPattern: bits)).bitPattern == bits)
        }
        for bits in stride(from: UInt16.min, to: .max - 97, by: 97) {
            #expect(try roundTrip(Float16(bitPattern: bits)).bitPattern == bits)
            #expect(try roundTrip(Box(value: Float16(bitPattern: bits))).value.bitPattern == bits)
        }
    }

    @Test func floatsOfOtherWidthsOnlyIfExact() throws {
        #expect(try decoded(Double.self, encoded(1.5 as Float)) == 1.5)
        #expect(try decoded(Float.self, encoded(1.5)) == 1.5)
        #expect(try decoded(Double.self, encoded(3)) == 3)
        #expect(try decoded(Float.self, encoded(Double.nan)).isNaN)
        #expect(throws: DecodingError.self) { try decoded(Float.self, encoded(0.1)) }
        #expect(throws: DecodingError.self) { try decoded(Int.self, encoded(1.0)) }
    }

    @Test func booleansAreValidated() throws {
        try expectRoundTrip(true)
        try expectRoundTrip(false)
        try expectRoundTrip([true, false, true])
        for byte in UInt8.min ... .max where byte != 0xC4 && byte != 0xC5 {
            #expect(throws: DecodingError.self) { try decoded(Bool.self, [byte]) }
        }
    }

    @Test(arguments: ["", "a", "\0", "a\0b", "é", "e\u{301}", "👩‍👩‍👧‍👦", "\u{10FFFF}", "\u{FEFF}x", "naïve 文字"])
    func text(_ text: String) throws {
        try expectRoundTrip(text)
        #expect(try Array(roundTrip(text).utf8) == Array(text.utf8))
        let long = String(repeating: text + "x", count: 100)
        try expectRoundTrip(long)
        try expectRoundTrip([text: long, long: text])
        #expect(try Array(roundTrip(text + "x").dropLast().utf8) == Array(text.utf8))
        let slice = String((text + "tail").dropLast(4))
        #expect(try Array(roundTrip(slice).utf8) == Array(text.utf8))
    }

    @Test func textOfLengthsAroundTheShortForm() throws {
        for count in [14, 15, 16, 62, 63, 64, 65, 127, 128, 16_384] {
            try expectRoundTrip(String(repeating: "x", count: count))
        }
    }

    @Test func textMustBeUTF8() throws {
        #expect(throws: DecodingError.self) { try decoded(String.self, [0x81, 0xFF]) }
        #expect(throws: DecodingError.self) { try decoded(String.self, [0x82, 0xC0, 0x80]) }
        #expect(throws: DecodingError.self) { try decoded(String.self, [0x83, 0xED, 0xA0, 0x80]) }
    }

    @Test func collections() throws {
        try expectRoundTrip([String]())
        try expectRoundTrip([Int]())
        try expectRoundTrip([[Int]]())
        try expectRoundTrip([[], [1], [1, 2, 3]])
        try expectRoundTrip([[[1.5], []], []])
        try expectRoundTrip(["a", "bb", "ccc"])
        try expectRoundTrip(Set(0..<1000))
        try expectRoundTrip(Set(["x", "y"]))
        try expectRoundTrip(ContiguousArray(["a", "b"]))
        try expectRoundTrip(ContiguousArray([1, 2, 3]))
        try expectRoundTrip([String: Int]())
        try expectRoundTrip(["one": 1, "two": 2])
        try expectRoundTrip([1: "one", -2: "minus two", .max: "max", .min: "min"])
        try expectRoundTrip([1.5: "a", .infinity: "b"])
        try expectRoundTrip([[1, 2]: ["x": [3: true]]])
        try expectRoundTrip(Dictionary(uniqueKeysWithValues: (0..<5000).map { ("key \($0)", $0) }))
        try expectRoundTrip(Dictionary(uniqueKeysWithValues: (0..<5000).map { ($0 * 7919, [$0]) }))
        try expectRoundTrip(CollectionOfOne(3).map { $0 })
    }

    @Test func ranges() throws {
        try expectRoundTrip(1..<5)
        try expectRoundTrip(1...5)
        try expectRoundTrip(1.5..<2.5)
        try expectRoundTrip("a"..."z")
        #expect(try roundTrip(PartialRangeFrom(3)).lowerBound == 3)
        #expect(try roundTrip(PartialRangeUpTo(3)).upperBound == 3)
        #expect(try roundTrip(PartialRangeThrough(3)).upperBound == 3)
    }

    @Test func otherStandardTypes() throws {
        try expectRoundTrip(Duration.seconds(3) + .nanoseconds(5))
        try expectRoundTrip(Duration.seconds(-3))
    }

    @Test func containersOfEverySizeStep() throws {
        for count in [0, 1, 2, 120, 126, 127, 128, 250, 254, 255, 256, 257, 65_535, 65_536] {
            try expectRoundTrip(Array(repeating: "", count: count))
            try expectRoundTrip([String(repeating: "x", count: count)])
            #expect(try roundTrip(Box(value: String(repeating: "y", count: count))).value.utf8.count == count)
        }
    }
}
