import Multiprocessing
import TestSupport
import Testing

/// Captures that cannot be sent are refused before any work starts, by an error that says why.
@Suite(.admitted(for: .seconds(300)))
struct CaptureRefusalTests {
    final class Session: Sendable {
        let name = "s"
    }

    final class CodableSession: Codable, Sendable {
        let name: String

        init(name: String) {
            self.name = name
        }
    }

    struct OfSession: Sendable {
        var number = opaque(1)
        var session = Session()
    }

    private func refusal(
        _ body: @escaping @Sendable (Int) throws -> String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let error = try await #require(throws: PoolError.self, sourceLocation: sourceLocation) {
            try await CapturePool.shared.map(1...3, body)
        }
        #expect(error.code == .notPortable, sourceLocation: sourceLocation)
        #expect(error.message.contains("Pool(.threads)"), "it names a cure", sourceLocation: sourceLocation)
        return error.message
    }

    @Test func `What stands for other processes is refused with what to capture in its place`() async throws {
        let pool = try Pool(.threads, workers: 1)
        #expect(try await refusal { "\($0)\(pool.workerCount)" }.contains("make a pool inside of the work"))
        let future = pool.submit { 1 }
        #expect(try await refusal { "\($0)\(future.isFinished)" }.contains("wait for the value first"))
        let manager = try await Manager(.threads)
        #expect(try await refusal { "\($0)\(manager)" }.contains("capture a reference to one of its actors"))
        await manager.shutDown()
        await pool.shutDown()
    }

    @Test func `An error of an unknown type`() async throws {
        let error: any Error = CancellationError()
        #expect(try await refusal { "\($0)\(error)" }.contains("capture a value of that type itself"))
    }

    @Test func `A class instance`() async throws {
        let session = Session()
        #expect(try await refusal { "\($0)\(session.name)" }.contains("CaptureRefusalTests.Session"))
    }

    @Test func `A class instance beside other captures, Codable or not`() async throws {
        let (session, codable, number) = (Session(), CodableSession(name: "s"), opaque(3))
        #expect(try await refusal { "\($0)\(session.name)\(number)" }.contains("CaptureRefusalTests.Session"))
        #expect(try await refusal { "\($0)\(codable.name)\(number)" }.contains("CaptureRefusalTests.CodableSession"))
    }

    @Test func `A structure with an object in it, by the property's name`() async throws {
        let (value, number) = (OfSession(), opaque(3))
        let message = try await refusal { "\($0)\(value.session.name)\(value.number)\(number)" }
        #expect(message.contains("OfSession"))
        #expect(message.contains("whose session is"))
        #expect(message.contains("CaptureRefusalTests.Session"))
    }

    @Test func `An optional object, one in a tuple, and one in a collection`() async throws {
        let (object, number) = (CodableSession(name: "s"), opaque(3))
        let optional: CodableSession? = opaque(object)
        let pair = (object, number)
        let (list, map) = ([object], ["a": object])
        #expect(try await refusal { "\($0)\(optional?.name ?? "")\(number)" }.contains("CodableSession"))
        #expect(try await refusal { "\($0)\(optional?.name ?? "")" }.contains("CodableSession"))
        #expect(try await refusal { "\($0)\(pair.0.name)\(pair.1)" }.contains("CodableSession"))
        #expect(try await refusal { "\($0)\(list[0].name)\(number)" }.contains("CodableSession"))
        #expect(try await refusal { "\($0)\(list[0].name)" }.contains("objects"))
        #expect(try await refusal { "\($0)\(map.count)\(number)" }.contains("CodableSession"))
    }

    @Test func `An existential`() async throws {
        let (value, number): (any Sendable, Int) = (opaque(1), opaque(3))
        #expect(try await refusal { "\($0)\(value)\(number)" }.contains("cannot know the type inside"))
    }

    @Test func `A weak reference`() async throws {
        let (session, number) = (Session(), opaque(3))
        let message = try await refusal { [weak session] in "\($0)\(session?.name ?? "")\(number)" }
        #expect(message.contains("weak"))
    }

    @Test func `An unowned reference`() async throws {
        let (session, number) = (Session(), opaque(3))
        let message = try await refusal { [unowned session] in "\($0)\(session.name)\(number)" }
        #expect(message.contains("unowned"))
        withExtendedLifetime(session) {}
    }

    @Test func `A mutable variable`() async throws {
        nonisolated(unsafe) var counter = opaque(0)
        let number = opaque(3)
        let message = try await refusal { input in
            counter += input
            return "\(counter)\(number)"
        }
        #expect(message.contains("mutable") || message.contains("variable"))
    }

    @Test func `On threads anything can be captured`() async throws {
        let session = Session()
        let pool = try Pool(.threads, workers: 2)
        #expect(try await pool.map(1...2) { "\($0)\(session.name)" } == ["1s", "2s"])
        await pool.shutDown()
    }

    @Test func `Nothing of a refused call starts`() async throws {
        let session = Session()
        let inputs = CountingSequence()
        await #expect(throws: PoolError.self) {
            try await CapturePool.shared.map(inputs) { "\($0)\(session.name)" }
        }
        #expect(inputs.count == 0)
    }

    /// Counts how many of its elements were taken.
    final class CountingSequence: Sequence, IteratorProtocol, @unchecked Sendable {
        // Sendable: taken from in the test's own call only.
        var count = 0

        func next() -> Int? {
            count += 1
            return count <= 10 ? count : nil
        }
    }
}
