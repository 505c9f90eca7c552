import MultiprocessingCoding
import Testing

@Suite("Lists of texts")
struct TextListTests {
    /// Lists of a few and of many bytes, whose sizes take one byte and four.
    private static let lists: [[String]] = [
        [], [""], ["a"], ["a", "", "äöü€😀", String(repeating: "x", count: 64)],
        (0..<300).map { "text \($0)" }, [String(repeating: "long ", count: 20_000)],
    ]

    /// The same list, written element by element.
    private static func oneByOne(_ texts: [String]) -> Custom {
        Custom { encoder in
            var container = encoder.unkeyedContainer()
            for text in texts { try container.encode(text) }
        }
    }

    @Test(arguments: lists) func aListIsWhatItsElementsAre(_ texts: [String]) throws {
        #expect(try encoded(texts) == encoded(Self.oneByOne(texts)))
        try expectRoundTrip(texts)
        try expectRoundTrip(ContiguousArray(texts))
        try expectRoundTrip([texts, [], texts])
        try expectRoundTrip(["key": texts])
        #expect(try decoded(Set<String>.self, encoded(texts)) == Set(texts))
        #expect(try decoded([String?].self, encoded(texts)) == texts)
        #expect(try decoded([Single<String>].self, encoded(texts)).map(\.value) == texts)
    }

    @Test func whatIsNoTextIsNamed() throws {
        let mixed = Custom { encoder in
            var container = encoder.unkeyedContainer()
            try container.encode("a")
            try container.encode(1)
        }
        let error = #expect(throws: DecodingError.self) { try decoded([String].self, encoded(mixed)) }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.intValue) == [1])
    }

    @Test func aCountIsBelievedOnlyIfItIsTrue() throws {
        var bytes = try encoded(["a", "b"])
        for count: UInt8 in [0, 1, 3, 4] {
            bytes[bytes.count - 1] = count
            // What is there is read, as through a container.
            #expect(try decoded([String].self, bytes) == ["a", "b"])
        }
        bytes[bytes.count - 1] = 255
        #expect(throws: DecodingError.self) { try decoded([String].self, bytes) }
    }

    @Test func textThatIsNotUTF8IsAnError() throws {
        var bytes = try encoded(["ab"])
        bytes[bytes.count - 2] = 0xFF
        #expect(throws: DecodingError.self) { try decoded([String].self, bytes) }
    }
}
