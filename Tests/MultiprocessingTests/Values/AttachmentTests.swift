import Foundation
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private enum Place {
    @TaskLocal static var token: Token?
}

private struct TokenJob: Job {
    let bag: TokenBag
    func run() throws -> TokenBag {
        guard bag.isWhole else { throw TokenError(token: nil, others: []) }
        return bag
    }
}

/// What stays of an attachment after it was used, in the process that used it.
private final class Watched: Sendable {
    static let shared = Watched()

    private struct Reference {
        weak var attachment: Attachment?
    }

    private let reference = Mutex(Reference())

    func watch(_ attachment: Attachment) { reference.withLock { $0.attachment = attachment } }

    var isThere: Bool { reference.withLock { $0.attachment != nil } }
}

/// Values that bring along something with an identity, wherever they stand.
@Suite(.admitted)
struct AttachmentTests {
    @Test("In inputs and outputs, from however deep inside", arguments: TestBackend.allCases)
    func inputsAndOutputs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let one = try await pool.run(Token("one")) { token in
                try #require(token.isWhole)
                return token
            }
            #expect(one.isWhole && one.name == "one")
            #expect(try await pool.run(TokenJob(bag: TokenBag("job"))).isWhole)
            let bags = try await pool.map((0..<40).map { TokenBag("\($0)") }, chunkSize: 7) { bag in
                try #require(bag.isWhole)
                return bag
            }
            #expect(bags.count == 40)
            for (number, bag) in bags.enumerated() {
                #expect(bag.isWhole && bag.list[0].name == "\(number) 0")
            }
            let made = try await pool.map(0..<40, chunkSize: 7) { TokenBag("made \($0)") }
            #expect(made.allSatisfy(\.isWhole) && made[39].list[2].name == "made 39 2")
            let pairs = try await pool.map(zip(0..<9, (0..<9).map { Token("\($0)") })) { number, token in
                (number, token, token.isWhole)
            }
            #expect(pairs.allSatisfy { $0.1.isWhole && $0.2 && $0.1.name == "\($0.0)" })
        }
    }

    @Test("In captures and shared values", arguments: TestBackend.allCases)
    func capturesAndSharedValues(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let (token, bag, offset, maybe) = (Token("captured"), TokenBag("captured"), 35, Token?.some(Token("maybe")))
            #expect(try await pool.run { token.isWhole })
            #expect(try await pool.run { token }.name == "captured")
            // Without its object, which no closure may capture.
            let (tokens, byName, byNumber, choice) = (bag.list, bag.byName, bag.byNumber, bag.choice)
            let choices = TokenBag.tokens(of: choice).count
            let sums = try await pool.map(1...30, chunkSize: 4) { number in
                let all =
                    tokens + byName.values + byNumber.values.joined().compactMap(\.self) + TokenBag.tokens(of: choice)
                let isWhole = token.isWhole && maybe?.isWhole == true && all.allSatisfy(\.isWhole)
                return isWhole && all.count == 7 + choices ? number + offset : 0
            }
            #expect(sums == (1...30).map { $0 + offset })
            let shared = try await pool.map(1...30, with: bag, token) { number, bag, token in
                bag.isWhole && token.isWhole ? number : 0
            }
            #expect(shared == Array(1...30))
        }
    }

    @Test("In errors", arguments: TestBackend.allCases)
    func errors(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let error = await #expect(throws: TokenError.self) {
                try await pool.run(Token("sent")) { token -> Int in
                    throw TokenError(token: token, others: [Token("made"), token])
                }
            }
            #expect(error?.token?.isWhole == true)
            #expect(error?.others.map(\.name) == ["made", "sent"])
            #expect(error?.others.allSatisfy(\.isWhole) == true)
        }
    }

    @Test("In task-local values that a pool carries", arguments: TestBackend.allCases)
    func taskLocals(_ backend: TestBackend) async throws {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.carriedTaskLocals = [CarriedTaskLocal(Place.$token)]
            try await withPool(backend.backend, workers: 2, configuration: configuration) { pool in
                let captured = Token("captured")
                let names = try await Place.$token.withValue(Token("local")) { () async throws in
                    try await pool.map(1...9) { _ in
                        captured.isWhole && Place.token?.isWhole == true ? Place.token?.name : nil
                    }
                }
                #expect(names == Array(repeating: "local", count: 9))
            }
        }
    }

    @Test("A worker has one object, however often and wherever it was sent")
    func onceForEachWorker() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let token = Token("counted")
            let counts = try await pool.map(Array(repeating: token, count: 500), chunkSize: 3) { try $0.count() }
            #expect(counts == Array(1...500))
            #expect(try await pool.run { try token.count() } == 501)
            #expect(try await pool.map([1, 2], with: token) { try $1.count() + $0 } == [503, 505])
            // Another of the same content is another.
            #expect(try await pool.run(Token("counted")) { try $0.count() } == 1)
        }
    }

    @Test("To the workers of a worker, and back")
    func nested() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let bag = try await pool.run(TokenBag("nested")) { bag in
                let inner = try Pool(.processes, workers: 1)
                let back = try await inner.run(bag) { bag in
                    try #require(bag.isWhole)
                    return bag
                }
                await inner.terminate()
                try #require(back.isWhole)
                return back
            }
            #expect(bag.isWhole && bag.object.first.name == "nested object")
        }
    }

    @Test("A worker that replaces another is sent it again")
    func afterCrash() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let token = Token("kept")
            for _ in 0..<3 {
                let first = try await pool.run(token) { try $0.count() }
                let second = try await pool.run { try token.count() }
                #expect(first == 1 && second == 2)
                await #expect(throws: PoolError.self) {
                    try await pool.run(token) { token in
                        _ = kill(getpid(), token.isWhole ? SIGKILL : SIGTERM)
                    }
                }
            }
        }
    }

    @Test("A worker lets it go when the last user here does")
    func forgottenByWorker() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let token = Token("used twice")
            for _ in 0..<2 {
                #expect(
                    try await pool.run(token) { token in
                        Watched.shared.watch(token.attachment)
                        return Watched.shared.isThere
                    })
                #expect(try await pool.run { Watched.shared.isThere })
            }
            _ = try await pool.run(Token("used once")) { Watched.shared.watch($0.attachment) }
            // What the pool keeps of an item goes a moment after its caller goes on.
            try await expectGone { try await pool.run { Watched.shared.isThere } }
            #expect(try await pool.run(token) { try $0.count() } == 1)
        }
    }

    @Test("A result's is let go here when nobody has it, and kept as long as somebody does")
    func forgottenHere() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            var result: Token? = try await pool.run { Token("made") }
            let watched = Watched()
            watched.watch(try #require(result).attachment)
            for _ in 0..<10 { _ = try await pool.run { 1 } }
            #expect(result?.isWhole == true && watched.isThere)
            result = nil
            try await expectGone {
                _ = try await pool.run { 1 }
                return watched.isThere
            }
        }
    }

    private func expectGone(_ isThere: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await isThere() {
            try #require(ContinuousClock.now < deadline, "the attachment is still kept")
        }
    }

    @Test("With another encoder or decoder it is an error that says what to do")
    func otherCoders() throws {
        let token = Token("lone")
        let encoding = #expect(throws: EncodingError.self) { try JSONEncoder().encode(TokenBag("json")) }
        let text = encoding.map { "\($0)" } ?? ""
        #expect(
            text.contains("Token cannot be encoded with") && text.contains("JSON")
                && text.contains("send it to a worker"))
        let decoding = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Token.self, from: Data("[\(token.attachment.number), \"lone\"]".utf8))
        }
        let reason = decoding.map { "\($0)" } ?? ""
        #expect(reason.contains("Token cannot be decoded with") && reason.contains("have a pool send it"))
    }
}
