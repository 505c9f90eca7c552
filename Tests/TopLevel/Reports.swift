import Multiprocessing

/// Prints one line: "name: right", "name: refused: why" or "name: WRONG: what came instead".
@MainActor
func check<Value: Equatable>(
    _ name: String,
    _ expected: Value,
    _ body: @MainActor () async throws -> Value
) async {
    do {
        let value = try await body()
        print(value == expected ? "\(name): right" : "\(name): WRONG: \(value) instead of \(expected)")
    } catch let error as PoolError where error.code == .notPortable {
        print("\(name): refused: \(error)")
    } catch {
        print("\(name): WRONG: \(error)")
    }
}
