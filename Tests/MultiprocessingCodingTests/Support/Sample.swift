/// A value with something of everything in it.
struct Sample: Codable, Equatable {
    enum Choice: Codable, Equatable {
        case nothing
        case number(Int)
        case both(left: String, right: Double?)
        indirect case deeper(Choice)
    }

    enum Color: String, Codable, CaseIterable { case red, green, blue }

    struct Part: Codable, Equatable {
        var id: UInt32
        var weight: Float
        var isDone: Bool
    }

    var small: Int8
    var large: Int
    var wide: UInt128
    var half: Float16
    var bits: UInt64
    var text: String
    var optional: Int?
    var nested: Int??
    var numbers: [Int]
    var bytes: [UInt8]
    var doubles: ContiguousArray<Double>
    var texts: [String?]
    var table: [String: Part]
    var byNumber: [Int: String]
    var byColor: [Color: [Bool]]
    var set: Set<UInt16>
    var range: Range<Int>
    var vector: SIMD4<Float>
    var choice: Choice
    var children: [Sample]

    /// A value that follows from the generator's state.
    static func random(using generator: inout SplitMix64, depth: Int) -> Sample {
        func integer<I: FixedWidthInteger>() -> I {
            let bits = I(truncatingIfNeeded: generator.next()) &* I(truncatingIfNeeded: generator.next())
            return bits >> I(truncatingIfNeeded: generator.next() % UInt64(I.bitWidth))
        }
        func text() -> String {
            let scalars: [Unicode.Scalar] = ["a", "\0", "é", "文", "👩", "\u{301}", "~", "\u{10FFFF}"]
            var text = ""
            for _ in 0..<(generator.next() % 70) {
                text.unicodeScalars.append(scalars[Int(generator.next() % UInt64(scalars.count))])
            }
            return text
        }
        func some<T>(_ most: UInt64, _ make: () -> T) -> [T] {
            (0..<(generator.next() % (most + 1))).map { _ in make() }
        }
        func maybe<T>(_ make: () -> T) -> T? { generator.next() % 3 == 0 ? nil : make() }
        func choice(_ depth: Int) -> Choice {
            switch generator.next() % 4 {
            case 0: .nothing
            case 1: .number(integer())
            case 2: .both(left: text(), right: maybe { 1.5 })
            default: depth > 0 ? .deeper(choice(depth - 1)) : .nothing
            }
        }
        func part() -> Part { Part(id: integer(), weight: 0.1, isDone: generator.next() % 2 == 0) }
        func unique<K: Hashable, V>(_ keys: [K], _ make: () -> V) -> [K: V] {
            Dictionary(keys.map { ($0, make()) }) { first, _ in first }
        }
        let lower: Int32 = integer()
        return Sample(
            small: integer(), large: integer(), wide: integer(), half: 0.5, bits: integer(), text: text(),
            optional: maybe { integer() }, nested: maybe { maybe { integer() } }, numbers: some(5) { integer() },
            bytes: some(40) { integer() }, doubles: ContiguousArray(some(3) { 1 / Double(generator.next() | 1) }),
            texts: some(4) { maybe(text) }, table: unique(some(4, text), part),
            byNumber: unique(some(4) { integer() }, text),
            byColor: unique(some(3) { Color.allCases[Int(generator.next() % 3)] }) { some(3) { true } },
            set: Set(some(9) { integer() }), range: Int(lower)..<Int(lower) + 3,
            vector: SIMD4(1, 2, 3, Float(generator.next() % 100)), choice: choice(4),
            children: depth > 0 ? some(2) { random(using: &generator, depth: depth - 1) } : [])
    }
}
