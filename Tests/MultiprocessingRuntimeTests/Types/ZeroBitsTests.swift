import MultiprocessingRuntime
import Testing

/// Whether a variable that has only zero bits can have a value.
struct ZeroBitsTests {
    private struct AllOptional {
        var name: String?
        var list: [Int]?
        var count = 0
    }

    private struct Named {
        var number = 0
        var name: String
    }

    private enum Mode {
        case named(String)
        case none
    }

    private indirect enum Tree {
        case node(Tree, Tree)
        case leaf(Int)
    }

    private struct Generic<Value> {
        var value: Value?
        var mode = Mode.none
    }

    private final class Object {}

    @Test func `Values without a bit that is set`() {
        func check<Value>(_ value: Value, sourceLocation: SourceLocation = #_sourceLocation) {
            let isZero = withUnsafeBytes(of: value) { $0.allSatisfy { $0 == 0 } }
            #expect(isZero, sourceLocation: sourceLocation)
            #expect(ZeroBits(of: Value.self).areValue, sourceLocation: sourceLocation)
        }
        check(0)
        check(String?.none)
        check([Int]?.none)
        check(Object?.none)
        check(AllOptional())
        check(Mode.none)
        check(Generic<String>())
        check((0, String?.none, mode: Mode.none))
    }

    @Test func `Types of which every value has a bit that is set`() {
        let types: [Any.Type] = [
            String.self, [Int].self, [Int: Int].self, Object.self, Named.self, Tree.self, (Int, String).self,
            (any Sendable).self, (@Sendable () -> Void).self, (AllOptional, [AllOptional]).self,
        ]
        for type in types { #expect(!ZeroBits(of: type).areValue, "\(type)") }
    }
}
