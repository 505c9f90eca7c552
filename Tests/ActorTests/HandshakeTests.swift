import Glibc
import TestSupport
import Testing

@testable import Multiprocessing

@Suite("How two ends prove that they have the same key")
struct HandshakeTests {
    private let address = ActorAddress.random()
    private let key = Array("a key of more than 16 bytes".utf8)

    private func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    @Test("SHA-256 gives what FIPS 180-4's examples say")
    func hashes() {
        #expect(
            text(SHA256.hash(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(text(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(
            text(SHA256.hash(Array(twoBlocks.utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            text(SHA256.hash(Array(repeating: UInt8(ascii: "a"), count: 1_000_000)))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// RFC 4231, 4.2 to 4.8.
    @Test("HMAC gives what RFC 4231's examples say")
    func codes() {
        func check(_ key: [UInt8], _ message: [UInt8], _ expected: String) {
            #expect(text(HMAC.code(of: message, key: key)) == expected)
        }
        check(
            Array(repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        check(
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        check(
            Array(repeating: 0xAA, count: 20), Array(repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")
        check(
            Array(1...25), Array(repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b")
        check(
            Array(repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        let long =
            "This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm."
        check(
            Array(repeating: 0xAA, count: 131), Array(long.utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2")
    }

    @Test("Codes are compared as a whole")
    func comparison() {
        let code = HMAC.code(of: [1], key: key)
        #expect(HMAC.areEqual(code, code))
        for index in code.indices {
            var other = code
            other[index] ^= 1
            #expect(!HMAC.areEqual(code, other))
        }
        #expect(!HMAC.areEqual(code, Array(code.dropLast())))
        #expect(!HMAC.areEqual(code, []))
    }

    @Test("Both ends prove themselves, and the client learns where the server is")
    func success() throws {
        var server = Handshake(as: .server(address), key: key)
        var client = Handshake(as: .client, key: key)
        #expect(client.opening.isEmpty)
        let answer = try client.take(server.opening)
        #expect(!answer.isOver)
        let proof = try server.take(answer.reply)
        #expect(proof.isOver)
        let end = try client.take(proof.reply)
        #expect(end.isOver && end.reply.isEmpty)
        #expect(client.serverAddress == address)
    }

    @Test("Another key is refused by both, whoever has it")
    func otherKey() throws {
        var server = Handshake(as: .server(address), key: key)
        var client = Handshake(as: .client, key: key + [0])
        let answer = try client.take(server.opening)
        #expect(throws: Handshake.Failure.key) { try server.take(answer.reply) }
        #expect(throws: Handshake.Failure.key) { try client.take(Handshake.refusal) }
        // One that says it is a server, and has no key.
        var honest = Handshake(as: .client, key: key)
        var thief = Handshake(as: .server(address), key: Array(repeating: 0, count: 32))
        let offer = try honest.take(thief.opening)
        #expect(throws: Handshake.Failure.key) { try thief.take(offer.reply) }
        #expect(throws: Handshake.Failure.key) { try honest.take(Array(repeating: 7, count: honest.awaitedCount)) }
        #expect(honest.serverAddress == nil)
    }

    @Test("What was said to one is worth nothing to another")
    func replay() throws {
        var first = Handshake(as: .server(address), key: key)
        var client = Handshake(as: .client, key: key)
        let answer = try client.take(first.opening)
        let proof = try first.take(answer.reply)
        var second = Handshake(as: .server(address), key: key)
        #expect(throws: Handshake.Failure.key) { try second.take(answer.reply) }
        var other = Handshake(as: .client, key: key)
        _ = try other.take(second.opening)
        #expect(throws: Handshake.Failure.key) { try other.take(proof.reply) }
    }

    @Test("A challenge that is sent back proves nothing")
    func reflection() throws {
        var server = Handshake(as: .server(address), key: key)
        // Who has no key has the server itself, as a client would, make the proof: it makes none but for a client's.
        let echo = server.opening + Array(repeating: 0, count: HMAC.size)
        #expect(throws: Handshake.Failure.key) { try server.take(echo) }
        var client = Handshake(as: .client, key: key)
        let answer = try client.take(server.opening)
        // The client's own proof comes back as that of a server.
        let reflected = Array(repeating: UInt8(1), count: 16) + answer.reply.suffix(HMAC.size)
        #expect(throws: Handshake.Failure.key) { try client.take(reflected) }
    }

    @Test("One who says something else is told apart by what it is")
    func strangers() throws {
        var client = Handshake(as: .client, key: key)
        #expect(throws: Handshake.Failure.stranger) { try client.take(Array("SSH-2.0-OpenSSH_9.6\r\n".utf8)) }
        let greeting = Array("HTTP/1.1 400 Bad Request\r\n\r\n                        ".utf8)
        #expect(throws: Handshake.Failure.stranger) {
            try client.take(Array(greeting.prefix(client.awaitedCount)))
        }
        var opening = Handshake(as: .server(address), key: key).opening
        opening[8] = 9
        #expect(throws: Handshake.Failure.version(9)) { try client.take(opening) }
    }

    @Test("No bit of a proof can be changed, in either direction")
    func changes() throws {
        var random = RandomSource(seed: 7)
        for _ in 0..<2_000 {
            var server = Handshake(as: .server(address), key: key)
            var client = Handshake(as: .client, key: key)
            var opening = server.opening
            let (step, bit) = (
                Int.random(in: 0..<3, using: &random), UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            )
            if step == 0 { opening[Int.random(in: opening.indices, using: &random)] ^= bit }
            #expect(throws: Handshake.Failure.self) {
                var answer = try client.take(opening).reply
                if step == 1 { answer[Int.random(in: answer.indices, using: &random)] ^= bit }
                var proof = try server.take(answer).reply
                if step == 2 { proof[Int.random(in: proof.indices, using: &random)] ^= bit }
                _ = try client.take(proof)
            }
        }
    }
}

/// The same as another's implementation.
@Suite("Codes beside Python's hmac", .enabled(if: access("/usr/bin/python3", X_OK) == 0))
struct PythonHMACTests {
    @Test("Keys and messages of all lengths around a block give the same codes")
    func comparison() throws {
        let script = """
            import hmac
            for key in range(1, 200, 7):
                for size in range(0, 200, 11):
                    message = bytes((key * i) & 255 for i in range(size))
                    print(hmac.new(bytes((7 * i + key) & 255 for i in range(key)), message, "sha256").hexdigest())
            """
        let path = "/tmp/hmac-\(getpid())-\(UInt64.random(in: 0...(.max))).py"
        let file = try #require(fopen(path, "w"))
        fputs(script, file)
        fclose(file)
        defer { unlink(path) }
        let pipe = try #require(popen("/usr/bin/python3 \(path)", "r"))
        var lines: [String] = []
        var line = [CChar](repeating: 0, count: 200)
        while fgets(&line, Int32(line.count), pipe) != nil {
            lines.append(String(decoding: line.prefix { $0 > 32 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        #expect(pclose(pipe) == 0)
        var expected: [String] = []
        for length in stride(from: 1, to: 200, by: 7) {
            for size in stride(from: 0, to: 200, by: 11) {
                let message = (0..<size).map { UInt8(truncatingIfNeeded: length * $0) }
                let key = (0..<length).map { UInt8(truncatingIfNeeded: 7 * $0 + length) }
                expected.append(
                    HMAC.code(of: message, key: key).map { byte in
                        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
                    }.joined())
            }
        }
        #expect(lines == expected)
    }
}
