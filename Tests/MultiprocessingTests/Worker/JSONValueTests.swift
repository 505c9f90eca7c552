import Multiprocessing
import TestSupport
import Testing

@Suite("Reading JSON", .admitted)
struct JSONValueTests {
    private func parse(_ text: String) -> JSONValue? {
        var text = text
        return text.withUTF8 { JSONValue(parsing: UnsafeRawBufferPointer($0)) }
    }

    @Test("Each kind of value is read")
    func values() {
        let value = parse(#" {"a": [1, -2.5e1, true, false, null, {}, []], "b" : {"c":"d"} } "#)
        #expect(
            value?["a"]?.array == [
                .number(1), .number(-25), .bool(true), .bool(false), .null, .object([:]), .array([]),
            ])
        #expect(value?["b"]?["c"]?.string == "d")
        #expect(value?["missing"] == nil)
        #expect(value?["a"]?.string == nil)
    }

    @Test("Text with escapes is read")
    func text() {
        #expect(parse(#""a\"\\\/\n\t\u00fc\ud83d\ude00ü😀""#)?.string == "a\"\\/\n\tü😀ü😀")
    }

    @Test(
        "What is no value of JSON is refused",
        arguments: ["", "{", "[1", #"{"a"}"#, #"{"a":1,}"#, "tru", "1 2", #""\u00""#, "\"open", "{1:2}", "-"])
    func damaged(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test("Nesting that no record has is refused")
    func nesting() {
        #expect(parse(String(repeating: "[", count: 100_000)) == nil)
    }
}
