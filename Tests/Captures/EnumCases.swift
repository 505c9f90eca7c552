import Multiprocessing

enum Mode: String, Codable, Sendable { case slow, fast, exact }
enum Single: Codable, Sendable { case only }
enum Maybe: Codable, Sendable {
    case none
    case text(String)
    case unknown, later
}
enum Either: Codable, Sendable {
    case text(String)
    case number(Int)
    case none
}
enum Many: Codable, Sendable {
    case a(Int)
    case b(Int, String)
    case c([Int])
    case d(UInt8)
    case e(Double)
    case f, g, h
}
enum Small: Codable, Sendable {
    case a(UInt8)
    case b(UInt8)
    case c, d
}
enum Shared: Codable, Sendable {
    case a(Bool)
    case b(Bool)
    case c
}
enum SharedPortable: Portable {
    case a(Bool)
    case b(Bool)
    case c
}
enum Tree: Codable, Sendable {
    case leaf(Int)
    indirect case node(Tree, Tree)

    var sum: Int {
        switch self {
        case .leaf(let number): number
        case .node(let left, let right): left.sum + right.sum
        }
    }
}
enum Payload: Codable, Sendable {
    case number(Part)
    case nothing
}
struct Part: Codable, Sendable { var flag: Bool, mode: Level, text: String? }
enum Level: UInt8, Codable, Sendable { case low, high, top }
enum Deep: Codable, Sendable { case a, b, c }
struct Deeper: Sendable {
    let one: Deep??
    let two: Deep?
    let three: Bool?
    let four: Mood???
    let last: UInt8
}
enum Mood: Codable, Sendable {
    case text(String)
    case calm
}
enum GenericEnum<T: Codable & Sendable>: Codable, Sendable {
    case value(T)
    case list([T])
    case empty
}
struct InEnum: Codable, Sendable { var n: Int, text: String }
struct OfResult: Codable, Sendable { var n: Int }
struct Problem: Error, Codable { var code: Int16 }
enum Chain: Codable, Sendable {
    case link(Link?)
    case end
}
enum Link: Codable, Sendable {
    case x(Kind?)
    case y
}
enum Kind: Codable, Sendable {
    case p(Bool?)
    case q
}
enum NoCases: Sendable {}
struct WithNever: Sendable {
    let n: Int, never: NoCases?

    init(n: Int) { (self.n, never) = (n, nil) }
}

func enumCases() -> [Case] { singlePayloadCases() + manyPayloadCases() + nestedEnumCases() }

private func singlePayloadCases() -> [Case] {
    let extra = one
    let mode = one == 1 ? Mode.exact : one == 2 ? .fast : .slow
    let single = Single.only
    let first = one == 1 ? Maybe.later : .none
    let second = one == 1 ? Maybe.text("abc") : .unknown
    let third = one == 1 ? Maybe.unknown : .later
    @Sendable func value(_ maybe: Maybe) -> Int {
        switch maybe {
        case .none: 1
        case .text(let text): text.utf8.count * 10
        case .unknown: 200
        case .later: 3
        }
    }
    let payload = one == 1 ? Payload.number(Part(flag: true, mode: .top, text: one == 1 ? nil : "a")) : .nothing
    let nothing = one > 1 ? Payload.number(Part(flag: true, mode: .top, text: nil)) : .nothing
    let withNever = WithNever(n: one)
    let tree = one == 1 ? Tree.node(.leaf(one), .node(.leaf(2), .leaf(3))) : .leaf(0)
    return [
        Case("an enumeration", 12) { $0 + (mode == .exact ? 2 : mode == .fast ? 1 : 0) },
        Case("one case", 11) {
            switch single {
            case .only: $0 + extra
            }
        },
        Case("one payload and three cases", 243) { $0 + value(first) + value(second) + value(third) },
        Case("a structure as a payload", 13) {
            guard case .number(let part) = payload else { return 0 }
            return total($0, part.flag ? 1 : 0, Int(part.mode.rawValue), part.text?.utf8.count ?? 0)
        },
        Case("a case beside that", 10) {
            if case .number = nothing { 0 } else { $0 }
        },
        Case("no cases", orCure: 11) { $0 + withNever.n + (withNever.never == nil ? 0 : 1) },
        Case("an indirect case", orCure: 16) { $0 + tree.sum },
    ]
}

private func manyPayloadCases() -> [Case] {
    let eithers = (
        one == 1 ? Either.text("abc") : .none, one == 1 ? Either.number(4) : .none, one == 1 ? Either.none : .number(1)
    )
    @Sendable func number(of either: Either) -> Int {
        switch either {
        case .text(let text): text.utf8.count
        case .number(let number): number * 10
        case .none: 100
        }
    }
    let many = (
        one == 1 ? Many.b(one, "xy") : .f, one == 1 ? Many.h : .a(1), one == 1 ? Many.e(2.5) : .g,
        one == 1 ? Many.d(200) : .c([1])
    )
    @Sendable func value(of many: Many) -> Int {
        switch many {
        case .a(let number): number
        case .b(let number, let text): number + text.utf8.count
        case .c(let list): list.count
        case .d(let byte): Int(byte)
        case .e(let double): Int(double * 2)
        case .f: 1_000
        case .g: 2_000
        case .h: 3_000
        }
    }
    let smalls = (one == 1 ? Small.b(200) : .c, one == 1 ? Small.d : .a(1), one == 1 ? Small.c : .d)
    @Sendable func value(of small: Small) -> Int {
        switch small {
        case .a(let byte): Int(byte)
        case .b(let byte): 1_000 + Int(byte)
        case .c: 5_000
        case .d: 7_000
        }
    }
    let shared = one == 1 ? Shared.b(true) : .c
    let sharedPortable = one == 1 ? SharedPortable.b(true) : .c
    return [
        Case("a text or a number", 153) {
            $0 + number(of: eithers.0) + number(of: eithers.1) + number(of: eithers.2)
        },
        Case("five payloads and three cases", 3218) {
            total($0, value(of: many.0), value(of: many.1), value(of: many.2), value(of: many.3))
        },
        Case("payloads of one byte", 13_210) {
            $0 + value(of: smalls.0) + value(of: smalls.1) + value(of: smalls.2)
        },
        Case("cases that share bits", orCure: 11) {
            switch shared {
            case .a(let flag): $0 + (flag ? 3 : 4)
            case .b(let flag): $0 + (flag ? 1 : 2)
            case .c: $0
            }
        },
        Case("cases that share bits, Portable", 11) {
            switch sharedPortable {
            case .a(let flag): $0 + (flag ? 3 : 4)
            case .b(let flag): $0 + (flag ? 1 : 2)
            case .c: $0
            }
        },
    ]
}

private func nestedEnumCases() -> [Case] {
    let deeper = Deeper(
        one: one == 1 ? .some(nil) : nil, two: one == 1 ? .c : nil, three: one == 1 ? nil : true,
        four: one == 1 ? .some(.some(nil)) : nil, last: 9)
    let generic = one == 1 ? GenericEnum.value(InEnum(n: one, text: "abc")) : .empty
    let result: Result<OfResult, Problem> = one == 1 ? .failure(Problem(code: 7)) : .success(OfResult(n: 1))
    let chains = (
        one == 1 ? Chain.link(.x(.p(nil))) : .end, one == 1 ? Chain.link(.x(nil)) : .end,
        one == 1 ? Chain.link(nil) : .end, one == 1 ? Chain.end : .link(nil), one == 1 ? Chain.link(.y) : .end,
        one == 1 ? Chain.link(.x(.q)) : .end, one == 1 ? Chain.link(.x(.p(true))) : .end
    )
    @Sendable func number(of chain: Chain) -> Int {
        switch chain {
        case .end: 1
        case .link(nil): 2
        case .link(.y): 3
        case .link(.x(nil)): 4
        case .link(.x(.q)): 5
        case .link(.x(.p(nil))): 6
        case .link(.x(.p(true))): 7
        case .link(.x(.p(false))): 8
        }
    }
    return [
        Case("optionals of optionals", 34) {
            var sum = $0 + Int(deeper.last)
            if case .some(nil) = deeper.one { sum += 1 }
            if case .c? = deeper.two { sum += 2 }
            if deeper.three == nil { sum += 4 }
            if case .some(.some(nil)) = deeper.four { sum += 8 }
            return sum
        },
        Case("a generic enumeration", orCure: 14) {
            guard case .value(let inner) = generic else { return 0 }
            return $0 + inner.n + inner.text.utf8.count
        },
        Case("a result", 17) {
            guard case .failure(let problem) = result else { return 0 }
            return $0 + Int(problem.code)
        },
        Case("enumerations in optionals in enumerations", 38) {
            total(
                $0, number(of: chains.0), number(of: chains.1), number(of: chains.2), number(of: chains.3),
                number(of: chains.4), number(of: chains.5), number(of: chains.6))
        },
    ]
}
