import MultiprocessingCoding
import Testing

@Suite("Errors")
struct ErrorTests {
    struct Failure: Error, Equatable { var number: Int }

    struct Outer: Codable { var list: [Inner] }
    struct Inner: Codable { var x: Int }
    struct OtherOuter: Codable { var list: [OtherInner] }
    struct OtherInner: Codable {
        var x: String
        var y = 0
    }

    @Test func errorsOfUsersPassUnchanged() throws {
        #expect(throws: Failure(number: 1)) { try encoded([Custom { _ in throw Failure(number: 1) }]) }
        struct Refusing: Decodable {
            init(from decoder: any Decoder) throws { throw Failure(number: 2) }
        }
        #expect(throws: Failure(number: 2)) { try decoded([Refusing].self, encoded(["x"])) }
        #expect(throws: Failure(number: 2)) { try decoded(Refusing?.self, encoded("x")) }
    }

    @Test func typeMismatchTellsThePath() throws {
        let bytes = try encoded(Outer(list: [Inner(x: 1), Inner(x: 2)]))
        for decode in [decoded, decodedWithSentKeys] as [(OtherOuter.Type, [UInt8]) throws -> OtherOuter] {
            do {
                _ = try decode(OtherOuter.self, bytes)
                Issue.record("nothing was thrown")
            } catch DecodingError.typeMismatch(let type, let context) {
                #expect(type is String.Type)
                #expect(context.codingPath.map(\.stringValue) == ["list", "Index 0", "x"])
                #expect(context.codingPath.map(\.intValue) == [nil, 0, nil])
            }
        }
    }

    @Test func missingKeysAreNamed() throws {
        do {
            _ = try decoded([Inner].self, encoded([["y": 1]]))
            Issue.record("nothing was thrown")
        } catch DecodingError.keyNotFound(let key, let context) {
            #expect(key.stringValue == "x")
            #expect(context.codingPath.map(\.stringValue) == ["Index 0"])
        }
    }

    @Test func nilWhereAValueIsExpected() throws {
        do {
            _ = try decoded([Int].self, encoded([1, nil] as [Int?]))
            Issue.record("nothing was thrown")
        } catch DecodingError.valueNotFound(let type, let context) {
            #expect(type is Int.Type)
            #expect(context.codingPath.map(\.intValue) == [1])
        }
        #expect(throws: DecodingError.self) { try decoded(Inner.self, encoded(nil as Int?)) }
        #expect(throws: DecodingError.self) { try decoded([String].self, encoded(nil as Int?)) }
    }

    @Test func containersOfTheWrongKind() throws {
        func expectMismatch<T: Decodable>(
            _ type: T.Type, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation
        ) {
            #expect(sourceLocation: location) {
                try decoded(type, bytes)
            } throws: { error in
                if case DecodingError.typeMismatch = error { true } else { false }
            }
        }
        expectMismatch(Inner.self, try encoded(5))
        expectMismatch(Inner.self, try encoded(["x"]))
        expectMismatch(Inner.self, try encoded([1]))
        expectMismatch([String].self, try encoded(Inner(x: 1)))
        expectMismatch([String].self, try encoded("text"))
        expectMismatch(Int.self, try encoded(Inner(x: 1)))
        expectMismatch(Int.self, try encoded("text"))
        expectMismatch(Int.self, try encoded(1.5))
        expectMismatch(Int.self, try encoded([1]))
        expectMismatch(Double.self, try encoded(true))
        expectMismatch(Bool.self, try encoded(1))
        expectMismatch(String.self, try encoded(1))
        expectMismatch(SIMD2<Int>.self, try encoded(1))
    }

    @Test func encodingPaths() throws {
        struct Reporter: Encodable {
            let report: ([any CodingKey]) -> Void
            func encode(to encoder: any Encoder) throws {
                report(encoder.codingPath)
                var container = encoder.singleValueContainer()
                try container.encode("done")
                report(container.codingPath)
            }
        }
        enum Keys: CodingKey { case list, other }
        var paths: [[String]] = []
        let reporter = Reporter { paths.append($0.map(\.stringValue)) }
        let value = Custom { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(["a", "b"].map { _ in reporter }, forKey: .list)
            try container.encode([3: reporter], forKey: .other)
            try reporter.encode(to: container.superEncoder())
        }
        _ = try encoded(value)
        let expected = [["list", "Index 0"], ["list", "Index 1"], ["other", "3"], ["super"]]
        #expect(paths == expected.flatMap { [$0, $0] })
    }
}
