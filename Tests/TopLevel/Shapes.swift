import Multiprocessing

// Code that uses variables of main.swift where a closure does not show it.

struct Settings: Codable, Equatable {
    var rate: Int
    var name: String

    @inline(never)
    func scaledRate() -> Int { rate * factor }
}

final class Application: Sendable {
    let name: String
    init(name: String) { self.name = name }
}

@Sendable
func scaled(_ number: Int) -> Int { number * factor }

@Sendable
func added(_ number: Int, to other: Int = factor) -> Int { number + other }

func scaledLater(_ number: Int) async throws -> Int {
    try await Task.sleep(for: .milliseconds(1))
    return number * factor
}

extension String {
    func scaledCount() -> Int { count * factor }
}

extension Array {
    var scaledCount: Int { count * factor }
}

extension Optional where Wrapped == Int {
    var orFactor: Int { self ?? factor }
}

extension Sequence where Element == Int {
    func scaledSum() -> Int { reduce(0, +) * factor }
}

infix operator *** : MultiplicationPrecedence

extension Int {
    static func *** (left: Int, right: Int) -> Int { left * right * factor }
}

// MARK: Jobs

struct ScalingJob: Job {
    let number: Int
    func run() -> Int { number * factor }
}

struct ExpectingJob: VoidJob {
    struct Unexpected: Error, Codable {
        let value: Int
    }

    let expected: Int
    func run() throws {
        if factor != expected { throw Unexpected(value: factor) }
    }
}

struct NamingJob: Job {
    func run() -> String { app.name }
}

// MARK: Dynamic dispatch

class Shape {
    func area(_ width: Int, _ height: Int) -> Int { 0 }
}

final class Rectangle: Shape {
    override func area(_ width: Int, _ height: Int) -> Int { width * height * factor }
}

@inline(never)
func makeShape(_ kind: Int) -> Shape { kind == 0 ? Shape() : Rectangle() }

protocol Rule: Sendable {
    func apply(_ number: Int) -> Int
}

struct ScalingRule: Rule {
    func apply(_ number: Int) -> Int { number * factor }
}

struct HarmlessRule: Rule {
    func apply(_ number: Int) -> Int { number }
}

struct NamingRule: Rule {
    func apply(_ number: Int) -> Int { number * app.name.count }
}

@inline(never)
func makeRule(_ isScaling: Bool) -> any Rule { isScaling ? ScalingRule() : HarmlessRule() }

@inline(never)
func applied(_ rule: some Rule, to number: Int) -> Int { rule.apply(number) }

enum Operations {
    static let all: [@Sendable (Int) -> Int] = [{ $0 * factor }, { $0 + factor }]
    static let named: [String: @Sendable (Int) -> Int] = ["scale": { $0 * factor }, "keep": { $0 }]
}

actor Scaler {
    func scale(_ number: Int) -> Int { number * factor }
}

// MARK: Witnesses of the standard library's protocols

struct ScaledWhenEncoded: Codable {
    var number: Int
    enum CodingKeys: CodingKey { case number }
    init(number: Int) { self.number = number }
    init(from decoder: any Decoder) throws {
        number = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .number)
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number * factor, forKey: .number)
    }
}

struct ScaledWhenDecoded: Codable {
    var number: Int
    enum CodingKeys: CodingKey { case number }
    init(number: Int) { self.number = number }
    init(from decoder: any Decoder) throws {
        number = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .number) * factor
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
    }
}

struct Described: Codable, CustomStringConvertible {
    var description: String { "<\(factor)>" }
}

struct Compared: Comparable {
    let number: Int
    static func < (left: Compared, right: Compared) -> Bool {
        (left.number + factor) % (2 * factor) < (right.number + factor) % (2 * factor)
    }
}

struct Hashed: Hashable {
    let number: Int
    static func == (left: Hashed, right: Hashed) -> Bool { left.number % factor == right.number % factor }
    func hash(into hasher: inout Hasher) { hasher.combine(number % factor) }
}

// MARK: Other files' variables

let derived = factor + 100

enum Derived {
    static let value = factor + 200
}

// MARK: A subclass that only its values tell of

class Coded: Codable, @unchecked Sendable {
    func scaled(_ number: Int) -> Int { number }
}

class ScalingCoded: Coded, @unchecked Sendable {
    override func scaled(_ number: Int) -> Int { number * factor }
}

@inline(never)
func makeCoded(_ scales: Bool) -> Coded { scales ? ScalingCoded() : Coded() }

// MARK: Types of variables

struct ApplicationSettings: Portable {
    var rate: Int
    var name = "name"
}

/// Codes one of its fields.
struct Lossy: Codable, Sendable {
    var a: Int
    var b: Int

    init(a: Int, b: Int) {
        self.a = a
        self.b = b
    }

    init(from decoder: any Decoder) throws {
        a = try decoder.singleValueContainer().decode(Int.self)
        b = 0
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(a)
    }
}

/// Its name has words in common with those of variables, which their symbols abbreviate.
struct AppConfig: Codable, Equatable {
    var rate: Int
    var name = "config"
}

struct AppPortable: Portable, Equatable {
    var rate: Int
    var name = "portable"
}

struct BoxConfig<Value: Codable & Sendable>: Codable, Sendable {
    var before: UInt8 = 1
    var value: Value

    struct BoxInner: Codable, Sendable {
        var number: Int
        var value: Value
    }
}

private struct HiddenConfig: Codable, Sendable {
    var number: Int
}

// MARK: Values whose bits are all zero

struct AllOptional: Portable, Equatable {
    var name: String?
    var list: [Int]?
    var count = 0
}

enum Mode: Portable, Equatable {
    case named(String)
    case none
}

struct ModeInside: Portable, Equatable {
    var mode: AllOptional?
    var other: AllOptional
}
