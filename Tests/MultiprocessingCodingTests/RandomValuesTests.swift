import MultiprocessingCoding
import Testing

@Suite("Random values")
struct RandomValuesTests {
    @Test func whatIsDecodedIsWhatWasEncoded() throws {
        var generator = SplitMix64(seed: SplitMix64.runSeed("whatIsDecodedIsWhatWasEncoded"))
        for _ in 0..<300 {
            let value = Sample.random(using: &generator, depth: 3)
            let bytes = try encoded(value)
            #expect(try decoded(Sample.self, bytes) == value)
            #expect(try decodedWithSentKeys(Sample.self, bytes) == value)
            #expect(try encoded(decoded(Sample.self, bytes)).count == bytes.count)
        }
    }
}
