import Multiprocessing

struct Rate: Codable, Sendable { var percent: Int }
struct Padded: Codable, Sendable { var a: UInt8, b: Int64, c: UInt8, d: Int16 }
struct Texts: Codable, Sendable { var a: String, b: String?, list: [Int], map: [String: Int], set: Set<String> }
struct Inner: Codable, Sendable { var n: UInt16, text: String }
struct Outer: Codable, Sendable { var flag: Bool, inner: Inner, other: Inner?, last: UInt8 }
struct Item: Codable, Sendable { var n: Int, text: String }
struct Holder: Codable, Sendable { var items: [Item], byName: [String: Item], n: Int }
struct Boxed: Codable, Sendable { var n: Int32 }
struct Box<T: Codable & Sendable>: Codable, Sendable { var before: UInt8, value: T, after: UInt8 }
struct Pair<A: Codable & Sendable, B: Codable & Sendable>: Codable, Sendable { var a: A, b: B?, list: [A] }
struct First: Codable, Sendable { var n: Int8 }
struct Second: Codable, Sendable { var text: String }
struct Elective: Codable, Sendable { var text: String, n: Int }
struct Absent: Codable, Sendable { var n: Int }
struct InTuple: Codable, Sendable { var n: Int, text: String }
struct NotCodable: Sendable { var n: Int, text: String }
struct Never1: Codable, Sendable { var n: Int }
struct OfNone: Codable, Sendable { var n: Int, none: [Never1], more: [String: Never1] }
struct Empty: Codable, Sendable {}
struct Lazy: Sendable {
    var n: Int
    lazy var twice = n * 2
}
struct Flags: OptionSet, Codable, Sendable {
    let rawValue: UInt8
    static let a = Flags(rawValue: 1), b = Flags(rawValue: 4)
}
struct Numbers: Codable, Sendable {
    var a: Float, b: Double, c: UInt128, vector: SIMD4<Float>, range: Range<Int>, time: Duration, letter: UInt8
}
struct Wrapped: Codable, Sendable {
    @Clamped var n: Int
    var rest: UInt8
}
@propertyWrapper struct Clamped: Codable, Sendable {
    var value: Int
    init(wrappedValue: Int) { value = min(wrappedValue, 100) }
    var wrappedValue: Int { value }
}
struct Command: Sendable {
    var n: Int
    var name: String

    func makeCase() -> Case { Case("self of a structure", 13) { $0 + n + name.utf8.count } }
}
private struct Hidden: Codable, Sendable { var n: Int }
extension Rate { struct Nested: Codable, Sendable { var n: Int, text: String } }

func genericCase<T: Codable & Sendable>(_ value: T, _ number: @escaping @Sendable (T) -> Int) -> Case {
    Case("a generic function", 12) { $0 + number(value) }
}
struct InGeneric: Codable, Sendable { var n: Int }

/// Types within generic types.
struct Nest<T: Codable & Sendable>: Codable, Sendable {
    var value: T

    struct In: Codable, Sendable { var n: UInt8, value: T, last: Int }
    enum Choice: Codable, Sendable {
        case some(T)
        case none, other
    }
    struct Of<U: Sendable>: Sendable {
        var first: U, second: T

        struct Deep: Sendable { var n: UInt8, u: U?, t: T }
    }
}
struct InNest: Codable, Sendable { var n: Int }

func nestedCases() -> [Case] {
    let number = one
    let inside = Nest<Int>.In(n: UInt8(one), value: 2, last: 3)
    let insideLost = Nest<InNest>.In(n: UInt8(one), value: InNest(n: 2), last: 3)
    let choice: Nest<Int>.Choice = one > 1 ? .none : .some(4)
    let other: Nest<UInt8>.Choice = one > 1 ? .none : .other
    let of = Nest<UInt8>.Of<Int64>(first: Int64(one), second: 7)
    let ofLost = Nest<InNest>.Of<UInt8>(first: UInt8(one), second: InNest(n: 7))
    let deep = Nest<UInt16>.Of<InNest>.Deep(n: 2, u: InNest(n: one), t: 3)
    let many = (Nest<Int8>.In(n: UInt8(one), value: 2, last: 3), Nest<Int8>.In(n: 2, value: 3, last: 4))
    return [
        Case("a structure in a generic structure", 16) { $0 + Int(inside.n) + inside.value + inside.last },
        Case("that beside a number", 17) { $0 + Int(inside.n) + inside.value + inside.last + number },
        Case("that of a type without metadata", 16) { $0 + Int(insideLost.n) + insideLost.value.n + insideLost.last },
        Case("an enumeration in a generic structure", 14) {
            if case .some(let value) = choice { $0 + value } else { -1 }
        },
        Case("a case without payload in a generic structure", 11) {
            if case .other = other { $0 + 1 } else { -1 }
        },
        Case("a generic structure in one", 18) { $0 + Int(of.first) + Int(of.second) },
        Case("a generic structure in one without metadata", 18) { $0 + Int(ofLost.first) + ofLost.second.n },
        Case("a structure in a generic structure in one", 16) { $0 + (deep.u?.n ?? -1) + Int(deep.n) + Int(deep.t) },
        Case("a tuple of structures in generic structures", 25) {
            total($0, Int(many.0.n), Int(many.0.value), many.0.last, Int(many.1.n), Int(many.1.value), many.1.last)
        },
    ]
}

func clockCases() -> [Case] {
    let number = one
    let (instant, suspending) = (ContinuousClock.now, SuspendingClock.now)
    let later = instant.advanced(by: .seconds(5 * one))
    let (clock, suspendingClock, duration) = (ContinuousClock(), SuspendingClock(), Duration.seconds(5 * one))
    return [
        Case("an instant", 10) { $0 + Int(instant.duration(to: .now) / .seconds(100)) },
        Case("an instant beside a number", 11) { $0 + number + Int(instant.duration(to: .now) / .seconds(100)) },
        Case("two instants", 15) { $0 + Int(instant.duration(to: later).components.seconds) },
        Case("a suspending instant", 10) { $0 + Int(suspending.duration(to: .now) / .seconds(100)) },
        Case("a clock", 10) { $0 + Int(clock.now.duration(to: .now) / .seconds(100)) },
        Case("a clock beside a number", 11) { $0 + number + Int(clock.now.duration(to: .now) / .seconds(100)) },
        Case("a suspending clock", 10) { $0 + Int(suspendingClock.now.duration(to: .now) / .seconds(100)) },
        Case("a duration", 15) { $0 + Int(duration.components.seconds) },
        Case("an optional instant", 10) {
            $0 + Int((number == 1 ? instant : later).duration(to: .now) / .seconds(100))
        },
    ]
}

func plainCases() -> [Case] {
    let text = String(repeating: "x", count: one)
    let rate = Rate(percent: one * 50)
    let padded = Padded(a: UInt8(one), b: Int64(one) << 40, c: 3, d: -5)
    let texts = Texts(
        a: text, b: one > 1 ? nil : "a long text that does not fit into two words", list: [one, 2], map: [text: 4],
        set: [text, "y"])
    let outer = Outer(
        flag: one == 1, inner: Inner(n: 7, text: text), other: one > 1 ? nil : Inner(n: 9, text: "zz"), last: 5)
    let holder = Holder(items: [Item(n: one, text: text)], byName: [text: Item(n: 3, text: "abc")], n: 2)
    let boxed = Box(before: 1, value: Boxed(n: Int32(one)), after: 2)
    let pair = Pair(a: First(n: Int8(one)), b: one > 1 ? nil : Second(text: "abc"), list: [])
    let elective = one > 1 ? nil : Elective(text: text, n: 4)
    let absent = one > 1 ? Absent(n: 1) : nil
    let inTuple = (InTuple(n: one, text: text), one, other: text)
    let notCodable = NotCodable(n: one, text: text)
    let ofNone = OfNone(n: one, none: [], more: [:])
    let (empty, number) = (Empty(), one)
    var lazy = Lazy(n: one)
    let twice = lazy.twice
    let lazyNow = lazy
    let flags: Flags = one == 1 ? [.a, .b] : .a
    let numbers = Numbers(
        a: Float(one), b: 0.5, c: UInt128(one) << 100, vector: SIMD4(1, 2, 3, Float(one)), range: one..<4,
        time: .seconds(one), letter: 7)
    let wrapped = Wrapped(n: one * 1000, rest: 3)
    struct Local: Codable, Sendable { var n: Int, text: String }
    let (local, hidden, nested) = (
        Local(n: one, text: text), Hidden(n: one), Rate.Nested(n: one, text: text)
    )
    let inner: @Sendable (Int) -> Int = { $0 + rate.percent }
    return [
        Case("one structure", 15) { $0 + $0 * rate.percent / 100 },
        Case("an asynchronous closure", 15) {
            await Task.yield()
            return $0 + $0 * rate.percent / 100
        },
        Case("padding", 1033) {
            total(
                $0, Int(padded.a), Int(padded.b >> 30), Int(padded.c), Int(padded.d))
        },
        Case("texts and collections", 64) {
            total(
                $0, texts.a.utf8.count, (texts.b?.utf8.count ?? 0), texts.list[0], texts.list[1], texts.map["x"]!,
                texts.set.count)
        },
        Case("a structure in a structure", 35) {
            total(
                $0, (outer.flag ? 1 : 0), Int(outer.inner.n), outer.inner.text.utf8.count, Int(outer.other?.n ?? 0),
                (outer.other?.text.utf8.count ?? 0), Int(outer.last))
        },
        Case("arrays and dictionaries of structures", 20) {
            total(
                $0, holder.items[0].n, holder.items[0].text.utf8.count, holder.byName["x"]!.n,
                holder.byName["x"]!.text.utf8.count, holder.n)
        },
        Case("a generic structure", 14) { $0 + Int(boxed.before) + Int(boxed.value.n) + Int(boxed.after) },
        Case("a generic structure of two", 14) {
            $0 + Int(pair.a.n) + (pair.b?.text.utf8.count ?? 0) + pair.list.count
        },
        Case("an optional structure", 15) { $0 + (elective.map { $0.text.utf8.count + $0.n } ?? 0) },
        Case("an optional structure that is nil", 10) { $0 + (absent?.n ?? 0) },
        Case("a tuple", 14) {
            total(
                $0, inTuple.0.n, inTuple.0.text.utf8.count, inTuple.1, inTuple.other.utf8.count)
        },
        Case("a structure that is not Codable", 12) { $0 + notCodable.n + notCodable.text.utf8.count },
        Case("that beside a number", 13) { $0 + notCodable.n + notCodable.text.utf8.count + number },
        Case("collections of what there is none of", 11) { $0 + ofNone.n + ofNone.none.count + ofNone.more.count },
        Case("an empty structure", 11) {
            withExtendedLifetime(empty) {}
            return $0 + number
        },
        Case("a lazy property", 13) {
            var copy = lazyNow
            return $0 + copy.twice + number
        },
        Case("options", 15) { $0 + Int(flags.rawValue) },
        Case("numbers of every kind", 35) {
            total(
                $0, Int(numbers.a), Int(numbers.b * 10), Int(numbers.c >> 100), Int(numbers.vector.sum()),
                numbers.range.count, Int(numbers.time.components.seconds), Int(numbers.letter))
        },
        Case("a property wrapper", 113) { $0 + wrapped.n + Int(wrapped.rest) },
        Case("a local type", 12) { $0 + local.n + local.text.utf8.count },
        Case("a private type", 11) { $0 + hidden.n },
        Case("a nested type", 12) { $0 + nested.n + nested.text.utf8.count },
        Case("a closure in a closure", 61) { inner($0) + number },
        Command(n: one, name: text + text).makeCase(),
        genericCase(InGeneric(n: one + 1)) { $0.n },
        Case("a lazy property's value", 12) { $0 + twice },
    ]
}
