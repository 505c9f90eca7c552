import Multiprocessing
import MultiprocessingCoding
import TestSupport
import Testing

extension CodingUserInfoKey {
    fileprivate static let hint = CodingUserInfoKey(rawValue: "hint")!
}

/// Writes and reads what it finds in `userInfo`.
private struct Hinted: Codable, Sendable {
    var written: Int?
    var read: Int?

    init() {}

    init(from decoder: any Decoder) throws {
        written = try decoder.singleValueContainer().decode(Int?.self)
        read = decoder.userInfo[.hint] as? Int
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(encoder.userInfo[.hint] as? Int)
    }
}

/// Messages without a worker: what is collected while one is encoded, and what one finds that is decoded.
@Suite(.admitted)
struct MessageTests {
    /// Has `sender` send what a message refers to.
    private func send(_ attachments: [Attachment], from sender: Sender) throws {
        for attachment in attachments {
            let payload = ByteBuffer()
            payload.append(attachment.number)
            attachment.bytes.withUnsafeBytes { payload.append(contentsOf: $0) }
            try payload.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                try sender.attachments.receive(from: &reader)
            }
        }
    }

    private func sender(userInfo: [CodingUserInfoKey: any Sendable] = [:]) throws -> Sender {
        let sender = Sender(userInfo: userInfo)
        let entries = ByteBuffer()
        KeyTable.shared.encodeEntries(from: 0, into: entries)
        try entries.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            try sender.keys.append(from: &reader)
        }
        return sender
    }

    @Test func `A message has each attachment once`() throws {
        let bag = TokenBag("bag")
        var message = Outgoing()
        let codec = try Codec<(Int, TokenBag, [Int], TokenBag)>.resolve()
        try codec.encode((1, bag, [2, 3], bag), into: &message)
        #expect(message.attachments.count == 8)
        #expect(Set(message.attachments.map(\.number)) == Set(bag.tokens.map(\.attachment.number)))

        let sender = try sender()
        try send(message.attachments, from: sender)
        let back = try message.bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: sender)
            return try codec.decode(from: &incoming)
        }
        #expect(back.0 == 1 && back.1.isWhole && back.2 == [2, 3] && back.3.isWhole)
        // Two values that refer to one object have one.
        #expect(back.1.list[0].attachment === back.3.list[0].attachment)
        #expect(back.1.byName["b"]?.attachment === back.1.list[0].attachment)
    }

    @Test func `Values without attachments have none`() throws {
        var message = Outgoing()
        try Codec<[String]>.resolve().encode(["a"], into: &message)
        try Codec<Int>.resolve().encode(1, into: &message)
        try Codec<Hinted>.resolve().encode(Hinted(), into: &message)
        #expect(message.attachments.isEmpty)
    }

    @Test func `An attachment that did not come fails the value`() throws {
        var message = Outgoing()
        try Codec<Token>.resolve().encode(Token("lost"), into: &message)
        let error = #expect(throws: DecodingError.self) {
            try message.bytes.withUnsafeBytes { bytes in
                var incoming = Incoming(bytes, from: Sender())
                return try Codec<Token>.resolve().decode(from: &incoming)
            }
        }
        #expect(error.map { "\($0)" }?.contains("refers to attachment") == true)
    }

    @Test func `What a sender says of attachments must make sense`() throws {
        let token = Token("once")
        let sender = Sender(attachmentLimit: 1_000)
        try send([token.attachment], from: sender)
        #expect(throws: (any Error).self) { try send([token.attachment], from: sender) }
        #expect(throws: (any Error).self) { try sender.attachments.forget(token.attachment.number + 1) }
        try sender.attachments.forget(token.attachment.number)
        #expect(sender.attachments.count == 0)
        #expect(throws: (any Error).self) { try sender.attachments.forget(token.attachment.number) }
        #expect(throws: (any Error).self) {
            for number in 0..<10 { try send([Token("\(number)").attachment], from: sender) }
        }
        #expect(sender.attachments.count <= 4)
    }

    @Test func `One object is made of an attachment, and of no other type`() throws {
        let token = Token("object")
        let counts = try (1...5).map { _ in try token.count() }
        #expect(counts == Array(1...5))
        final class Other: Sendable {}
        #expect(throws: (any Error).self) { try token.attachment.object(Other.self) { _ in Other() } }
    }

    @Test func `What is given as userInfo reaches values on both sides`() throws {
        var message = Outgoing(userInfo: [.hint: 7])
        let codec = try Codec<[Hinted]>.resolve()
        try codec.encode([Hinted(), Hinted()], into: &message)
        let sender = try sender(userInfo: [.hint: 8])
        // Again, because decoders are used again.
        for _ in 0..<3 {
            let back = try message.bytes.withUnsafeBytes { bytes in
                var incoming = Incoming(bytes, from: sender)
                return try codec.decode(from: &incoming)
            }
            #expect(back.map(\.written) == [7, 7] && back.map(\.read) == [8, 8])
        }
    }
}
