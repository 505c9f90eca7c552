import Multiprocessing
package import Testing

/// Expects that `body` is refused as not portable, with a message that has all of the texts in it.
package func expectRefusal(
    _ texts: String...,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as PoolError {
        #expect(error.code == .notPortable, sourceLocation: sourceLocation)
        for text in texts {
            #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
