import Multiprocessing
import TestSupport
import Testing

/// Expects `body` to throw a ``SharedStateError`` with a code.
func expectRefusal(
    _ code: SharedStateError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Any?
) {
    do {
        _ = try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch {
        expect(error, code, sourceLocation)
    }
}

/// The same of what suspends.
func expectRefusalAwaiting(
    _ code: SharedStateError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Any?
) async {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch {
        expect(error, code, sourceLocation)
    }
}

private func expect(_ error: any Error, _ code: SharedStateError.Code, _ sourceLocation: SourceLocation) {
    let error = error as? SharedStateError
    #expect(error?.code == code, sourceLocation: sourceLocation)
    #expect(error?.message.isEmpty == false, sourceLocation: sourceLocation)
}
