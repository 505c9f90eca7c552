import Multiprocessing
import TestSupport
import Testing

/// What went wrong with shared state is caught by its code.
@Suite("SharedStateError", .admitted)
struct SharedStateErrorTests {
    @Test("each code is a pattern for itself alone", arguments: TestBackend.allCases)
    func patterns(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>()
        #expect(try caught { try queue.receive(timeout: .zero) } == "timed out")
        queue.close()
        #expect(try caught { try queue.receive() } == "closed")
        let thrown = try await backend.withPool(workers: 1) { pool in
            await pool.submit { try queue.receive() }.result
        }
        switch thrown {
        case .failure(SharedStateError.timedOut): Issue.record("not this one")
        case .failure(SharedStateError.closed): break
        default: Issue.record("\(thrown)")
        }
    }

    @Test("no code is a pattern for another error")
    func others() throws {
        struct Other: Error {}
        #expect(throws: Other.self) { try caught { throw Other() } }
    }

    private func caught(_ body: () throws -> Int) throws -> String {
        do {
            return "\(try body())"
        } catch SharedStateError.timedOut {
            return "timed out"
        } catch SharedStateError.closed {
            return "closed"
        }
    }
}
