import Multiprocessing
import MultiprocessingCoding
import Synchronization
import TestSupport

/// And not that of the testing library.
typealias Attachment = Multiprocessing.Attachment

/// A value whose bits mean something in one process only, and that brings along what the others need.
///
/// Two stored properties, because a structure of one object cannot be told from the object when it is captured alone.
struct Token: Portable {
    let attachment: Attachment
    let name: String

    init(_ name: String) {
        let bytes = ByteBuffer()
        Array("content of \(name)".utf8).withUnsafeBytes { bytes.append(contentsOf: $0) }
        attachment = Attachment(bytes)
        self.name = name
    }

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        attachment = try decoder.attachment(try container.decode(UInt64.self), for: Self.self)
        name = try container.decode(String.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(try encoder.attach(attachment, for: self))
        try container.encode(name)
    }

    /// Whether what was attached is what belongs to the name.
    var isWhole: Bool {
        String(decoding: attachment.bytes.withUnsafeBytes { Array($0) }, as: UTF8.self) == "content of \(name)"
    }

    /// What the attachment stands for in this process: counts who asked.
    func count() throws -> Int {
        try attachment.object(Counter.self) { _ in Counter() }.next()
    }

    final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }
}

/// Tokens in every place that a value has.
struct TokenBag: Codable, Sendable {
    enum Choice: Codable, Sendable {
        case none
        case token(Token)
        indirect case both(Choice, Choice)
    }

    /// Whose subclass adds a token to the base's.
    class Base: Codable, @unchecked Sendable {
        let first: Token
        init(_ first: Token) { self.first = first }
    }

    var list: [Token]
    var byName: [String: Token]
    var byNumber: [Int: [Token?]]
    var maybe: Token??
    var nothing: Token?
    var choice: Choice
    var object: Base

    init(_ name: String) {
        list = (0..<3).map { Token("\(name) \($0)") }
        byName = ["a": Token("\(name) a"), "b": list[0]]
        byNumber = [7: [nil, Token("\(name) 7"), list[1]]]
        maybe = .some(.some(Token("\(name) maybe")))
        nothing = nil
        choice = .both(.token(Token("\(name) choice")), .both(.none, .token(list[2])))
        object = Base(Token("\(name) object"))
    }

    var tokens: [Token] {
        list + byName.values + byNumber.values.joined().compactMap(\.self)
            + [maybe.flatMap(\.self), nothing, object.first]
            .compactMap(\.self) + Self.tokens(of: choice)
    }

    static func tokens(of choice: Choice) -> [Token] {
        switch choice {
        case .none: []
        case .token(let token): [token]
        case .both(let first, let second): tokens(of: first) + tokens(of: second)
        }
    }

    /// Whether all eleven are there, each with what is its own.
    var isWhole: Bool { tokens.count == 11 && tokens.allSatisfy(\.isWhole) }
}

struct TokenError: Error, Codable {
    let token: Token?
    let others: [Token]
}
