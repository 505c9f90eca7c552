import TestSupport
import Testing

/// Expects that `body`, which may call actors, gives a value.
///
/// The macro cannot hold such calls: what it makes of them does not say that they throw.
func expect<Value: Equatable>(
    _ expected: Value,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async throws {
    let value = try await body()
    #expect(value == expected, sourceLocation: sourceLocation)
}

/// Waits until a condition holds that has to be asked for.
func expectSoonAsync(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(120)
    while try await !condition() {
        if clock.now >= deadline { return _ = Issue.record("it did not come true", sourceLocation: sourceLocation) }
        try await Task.sleep(for: .milliseconds(2))
    }
}
