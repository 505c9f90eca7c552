import MultiprocessingSystem
import Synchronization

/// What a testing library recorded in this worker: failed expectations, and other issues of tests.
///
/// A worker never gets to `main`, so no test runs in it and nobody would hear of them: a test whose
/// expectations fail in its work would pass. Instead the item that was running fails, and the text
/// goes to standard error as well. The testing libraries are not linked for this; where a program
/// has them, they are found in it.
enum RecordedIssues {
    private static let texts = Mutex<[String]>([])
    private static let areThere = Atomic(false)

    /// Listens to the testing libraries that are in this process; called once, before the first item.
    static func watch() {
        SwiftTestingIssues.watch()
        XCTestIssues.watch()
    }

    /// Notes an issue; called on whichever thread recorded it.
    static func add(_ text: String) {
        ThisProcess.report(
            "Multiprocessing: worker process \(ProcessID.current) recorded an issue of a test: \(text)\n")
        texts.withLock { $0.append(text) }
        areThere.store(true, ordering: .releasing)
    }

    /// Throws what was recorded since the last time, if anything was.
    static func check() throws {
        // The only cost for programs that test nothing.
        guard areThere.load(ordering: .relaxed) else { return }
        if let error = take() { throw error }
    }

    /// What was recorded since the last time, as the error of the item that ran.
    static func take() -> PoolError? {
        guard areThere.exchange(false, ordering: .acquiring) else { return nil }
        let texts = texts.withLock { texts in
            defer { texts = [] }
            return texts
        }
        return texts.isEmpty ? nil : .issueRecorded(texts, in: ProcessID.current.rawValue)
    }
}
