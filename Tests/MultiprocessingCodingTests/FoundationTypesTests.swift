import Foundation
import MultiprocessingCoding
import Testing

@Suite("Types of Foundation")
struct FoundationTypesTests {
    @Test func bytes() throws {
        for count in [0, 1, 15, 100, 70_000] {
            let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0) })
            try expectRoundTrip(data)
            #expect(try encoded(data).count < count + 8)
            #expect(try decoded([UInt8].self, encoded(data)) == Array(data))
            #expect(try decoded(Data.self, encoded(Array(data))) == data)
            #expect(try decoded(Data.self, encoded(data.map(Int.init))) == data)
            // As `Data` codes itself when nothing recognizes it.
            let own = Custom { try data.encode(to: $0) }
            #expect(try decoded(Data.self, encoded(own)) == data)
            try withDecoder(encoded(data)) { decoder throws in #expect(try Data(from: decoder) == data) }
        }
        try expectRoundTrip(Data(0..<100)[10..<20])
    }

    @Test func others() throws {
        try expectRoundTrip(Date(timeIntervalSinceReferenceDate: 0.1))
        try expectRoundTrip(Date.distantPast)
        try expectRoundTrip(UUID())
        try expectRoundTrip(try #require(URL(string: "https://example.org/a?b=c#d")))
        try expectRoundTrip(try #require(URL(string: "b?c", relativeTo: URL(string: "https://example.org/a/"))))
        try expectRoundTrip(try #require(Decimal(string: "123456789.123456789123456789")))
        try expectRoundTrip(-Decimal.greatestFiniteMagnitude)
        try expectRoundTrip(IndexSet([1, 2, 3, 10]))
        try expectRoundTrip(IndexPath(indexes: [1, 2, 3]))
        try expectRoundTrip(Locale(identifier: "en_US"))
        try expectRoundTrip(try #require(TimeZone(secondsFromGMT: 3600)))
        try expectRoundTrip(DateComponents(year: 2024, month: 2))
        try expectRoundTrip(CharacterSet.alphanumerics)
        try expectRoundTrip(DateInterval(start: .distantPast, duration: 5))
        try expectRoundTrip(Measurement(value: 1.5, unit: UnitLength.meters))
    }
}
