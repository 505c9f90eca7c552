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

        var isNone: Bool {
            if case .none = self { true } else { false }
        }
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
        /// Reads zeros as a value, which `isExpected` says is the right one.
        func check<Value>(_: Value.Type, sourceLocation: SourceLocation = #_sourceLocation, isExpected: (Value) -> Bool)
        {
            guard ZeroBits(of: Value.self).areValue else {
                Issue.record("no value of \(Value.self)", sourceLocation: sourceLocation)
                return
            }
            let zeros = UnsafeMutablePointer<Value>.allocate(capacity: 1)
            defer { zeros.deallocate() }
            UnsafeMutableRawPointer(zeros).initializeMemory(
                as: UInt8.self, repeating: 0, count: MemoryLayout<Value>.size)
            #expect(isExpected(zeros.move()), sourceLocation: sourceLocation)
        }
        check(Int.self) { $0 == 0 }
        check(String?.self) { $0 == nil }
        check([Int]?.self) { $0 == nil }
        check(Object?.self) { $0 == nil }
        check(AllOptional.self) { $0.name == nil && $0.list == nil && $0.count == 0 }
        check(Mode.self) { $0.isNone }
        check(Generic<String>.self) { $0.value == nil && $0.mode.isNone }
        check((Int, String?, mode: Mode).self) { $0.0 == 0 && $0.1 == nil && $0.mode.isNone }
    }

    @Test func `Types of which every value has a bit that is set`() {
        let types: [Any.Type] = [
            String.self, [Int].self, [Int: Int].self, Object.self, Named.self, Tree.self, (Int, String).self,
            (any Sendable).self, (@Sendable () -> Void).self, (AllOptional, [AllOptional]).self,
        ]
        for type in types { #expect(!ZeroBits(of: type).areValue, "\(type)") }
    }
}
