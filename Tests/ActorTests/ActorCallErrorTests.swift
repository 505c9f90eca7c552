import Testing

@testable import Multiprocessing

/// What went wrong with a call is caught by its code.
@Suite("ActorCallError")
struct ActorCallErrorTests {
    @Test("each code is a pattern for itself alone")
    func patterns() throws {
        #expect(try caught(.hostGone) == "gone")
        #expect(try caught(.timedOut) == "late")
        #expect(throws: ActorCallError.self) { try caught(.refused) }
    }

    private func caught(_ code: ActorCallError.Code) throws -> String {
        do {
            throw ActorCallError(code, "a test's")
        } catch ActorCallError.hostGone {
            return "gone"
        } catch ActorCallError.timedOut {
            return "late"
        }
    }
}
