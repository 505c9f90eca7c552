import MultiprocessingRuntime
import Testing

private struct Hidden: Codable, Hashable { var value = 1 }

struct Visible: Codable {}

private enum Choice: Codable {
    case one
    case two(Hidden)
}

private class Animal {}

private final class Dog: Animal {}

private class Holder<Value> {
    struct Inner {}
    struct Pair<Other> {}
}

private final class Derived<First, Second>: Holder<First> {}

private struct Wrapper<Value> {
    struct Nested {}
    enum Generic<Other> { case none }
}

extension Wrapper where Value == Int {
    struct Constrained {}
    struct ConstrainedGeneric<Other> {}
}

extension Wrapper where Value: Collection, Value.Element == String {
    struct ByElement {}
}

private struct Keyed<Key: Hashable, Value: Codable> where Key: Codable {}

private struct Pack<each Value> {}

private struct PackAround<First, each Value, Last> where Last: Hashable {}

private struct Counted<let count: Int> {}

// The formatter removes the spaces without which these do not parse.
// swift-format-ignore
private typealias NoPack = Pack< >
// swift-format-ignore
private typealias CountedBelow = Counted< -7>

private protocol Shape {}

private protocol Anchored: AnyObject {}

private enum Failure: Error { case some }

extension String {
    fileprivate struct Slice2 { struct Deeper {} }
}

private func localType() -> Any.Type {
    struct Local: Codable {}
    return Local.self
}

struct TypeReferenceTests {
    @Test(arguments: simpleTypes + genericTypes + contextTypes)
    func `A type comes back from its bytes`(_ sample: Sample) throws {
        let reference = try TypeReference(sample.type)
        var bytes: [UInt8] = []
        reference.encode(into: &bytes)
        var reader = ReferenceReader(bytes)
        let decoded = try TypeReference(decoding: &reader)
        #expect(reader.isAtEnd)
        #expect(decoded == reference)
        #expect(try decoded.resolve() == sample.type)
    }

    @Test func `Types that differ have names that differ`() throws {
        let samples = simpleTypes + genericTypes + contextTypes
        let references = try Set(samples.map { try TypeReference($0.type) })
        #expect(references.count == Set(samples.map { ObjectIdentifier($0.type) }).count)
    }

    @Test func `A function type is refused by name`() {
        #expect {
            try TypeReference([() -> Void].self)
        } throws: { error in
            "\(error)".contains("function type")
        }
    }

    @Test func `Damaged bytes are an error`() throws {
        var bytes: [UInt8] = []
        try TypeReference([String: [Hidden?]].self).encode(into: &bytes)
        for count in bytes.indices {
            #expect(throws: NotPortable.self) {
                var reader = ReferenceReader(Array(bytes[..<count]))
                _ = try TypeReference(decoding: &reader).resolve()
            }
        }
        bytes.seal()
        var reader = try ReferenceReader(sealed: bytes)
        #expect(try TypeReference(decoding: &reader).resolve() == [String: [Hidden?]].self)
        // Found before an address in them is followed, which could lead anywhere.
        for index in bytes.indices {
            for value in 0...UInt8.max where value != bytes[index] {
                var damaged = bytes
                damaged[index] = value
                #expect(throws: NotPortable.self) { try ReferenceReader(sealed: damaged) }
            }
        }
        for count in bytes.indices {
            #expect(throws: NotPortable.self) { try ReferenceReader(sealed: Array(bytes[..<count])) }
        }
    }

    @Test func `A reference is the same whoever asks`() async throws {
        let first = try TypeReference([Hidden].self)
        let others = try await withThrowingTaskGroup(of: TypeReference.self) { group in
            for _ in 0..<16 { group.addTask { try TypeReference([Hidden].self) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(others.allSatisfy { $0 == first })
    }
}

struct Sample: CustomTestStringConvertible, Sendable {
    let type: Any.Type
    init(_ type: Any.Type) { self.type = type }
    var testDescription: String { String(reflecting: type) }
}

private let simpleTypes =
    ([
        Int.self, String.self, Void.self, Double.self, Visible.self, Hidden.self, Choice.self, Failure.self,
        Animal.self, Dog.self, Task<Int, Never>.self, Duration.self, SIMD4<Float>.self, Never.self,
    ] as [Any.Type]).map(Sample.init)

private let genericTypes =
    ([
        [Hidden].self, Hidden?.self, [String: Hidden].self, Set<Hidden>.self, Result<Hidden, Failure>.self,
        [[Hidden?]: Set<Int>].self, (Int, Hidden).self, (left: Int, right: Hidden).self, (Int, right: [Hidden]).self,
        (_unlabeled: Int, ünicode: Int).self, ((Int, Int), (Int, String)?).self, [(Hidden, Int)].self,
        Result<Hidden, any Error>.self, Wrapper<any Error>.self, Wrapper<any Shape>.self,
        Wrapper<any Shape & Sendable>.self,
        Wrapper<any Shape & CustomStringConvertible>.self, Wrapper<Any>.self, Wrapper<AnyObject>.self,
        Wrapper<any Anchored>.self, Wrapper<any Shape & AnyObject>.self, Wrapper<Void>.self, Range<Int>.self,
        LazyMapSequence<[Int], String>.self, ClosedRange<Int>.Index.self, Dictionary<Hidden, Int>.Index.self,
    ] as [Any.Type]).map(Sample.init)

private let contextTypes: [Sample] =
    ([
        Wrapper<Hidden>.self, Wrapper<Hidden>.Nested.self, Wrapper<Hidden>.Generic<Int>.self,
        Wrapper<Wrapper<Hidden>.Nested>.Generic<Wrapper<Int>>.self, Holder<Hidden>.self, Holder<Hidden>.Inner.self,
        Holder<Hidden>.Pair<String>.self, Derived<Hidden, String>.self, Wrapper<Int>.Constrained.self,
        Wrapper<Int>.ConstrainedGeneric<Hidden>.self, Wrapper<[String]>.ByElement.self, Keyed<Hidden, [Choice]>.self,
        NoPack.self, Pack<Int>.self, Pack<Int, Hidden, String>.self, PackAround<Hidden, Int, Int, Hidden>.self,
        PackAround<Int, Hidden>.self, Counted<0>.self, Counted<1>.self, CountedBelow.self, Counted<1000>.self,
        String.Slice2.Deeper.self, localType(),
    ] as [Any.Type]).map(Sample.init)
