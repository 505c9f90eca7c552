import LegacyCaller
import Multiprocessing
import Testing

/// A sequence that belongs to the main actor, as everything in this module does.
private final class Lines: Sequence, IteratorProtocol {
    private var rest = 1...50

    var underestimatedCount: Int {
        look()
        return 0
    }

    func next() -> Int? {
        look()
        guard let first = rest.first, first < rest.upperBound else { return nil }
        rest = (first + 1)...rest.upperBound
        return first
    }

    /// Also in release, where a wrong place would go unnoticed.
    private func look() {
        MainActor.preconditionIsolated()
    }
}

/// Callers in a module whose code belongs to the main actor if it does not say otherwise.
struct DefaultIsolationTests {
    nonisolated static let backends: [any Backend] = [.threads, .processes]

    @Test(arguments: backends)
    func map(_ backend: any Backend) async throws {
        let pool = try Pool(backend, workers: 2)
        let lines = Lines()
        #expect(try await pool.map(lines, chunkSize: 1) { $0 * 2 } == (1..<50).map { $0 * 2 })
        let offset = 3
        #expect(try await pool.map((1...9).lazy.filter { $0 > offset }) { $0 } == [4, 5, 6, 7, 8, 9])
        let shared = Lines()
        #expect(try await pool.map(shared, with: 2) { $0 * $1 } == (1..<50).map { $0 * 2 })
        let each = Lines()
        try await pool.forEach(each, chunkSize: 3) { _ in }
        await pool.shutDown()
    }

    @Test(arguments: backends)
    func streams(_ backend: any Backend) async throws {
        let pool = try Pool(backend, workers: 2)
        let lines = Lines()
        var values: [Int] = []
        for try await value in pool.stream(lines, { $0 * 2 }) { values.append(value) }
        #expect(values == (1..<50).map { $0 * 2 })
        let others = Lines()
        values = []
        for await result in pool.results(others, chunkSize: 4, { $0 * 2 }) { values.append(try result.get()) }
        #expect(values == (1..<50).map { $0 * 2 })
        await pool.shutDown()
    }

    @Test("The same in the Swift 5 language mode", arguments: backends)
    func legacy(_ backend: any Backend) async throws {
        let (mapped, streamed) = try await LegacyCaller.run(backend)
        let expected = (1...100).filter { $0 % 2 == 0 }.map { $0 + 1 }
        #expect(mapped == expected)
        #expect(streamed == expected)
    }
}
