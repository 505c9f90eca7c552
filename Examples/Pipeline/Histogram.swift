import Multiprocessing
import Synchronization

/// How often each byte occurs in files, added up by several processes, any of which may be killed at any moment.
///
/// The counts stand twice. Who adds to them writes the half that does not hold, and then changes over with one store of
/// a number that says both which half holds now and which file was added last. So there is no moment at which half a file
/// is counted, and no file is counted twice: whoever has the lock after a death finishes what that number says.
struct Histogram: Codable, Sendable {
    private static let values = 256

    /// The number, both halves, and for each file whether it is counted.
    private let words: SharedArray<Int>

    init(files: Int) throws {
        words = try SharedArray(count: 1 + 2 * Self.values + files)
    }

    /// Adds the counts of a file, unless they are there.
    ///
    /// - Returns: Whether they were added.
    func add(_ counts: [Int], of file: Int) async throws -> Bool {
        try await words.withLock(recover: Self.recover) { words in
            guard words[Self.place(of: file)] == 0 else { return false }
            let half = words[0] & 1
            let (old, new) = (1 + half * Self.values, 1 + (1 - half) * Self.values)
            for value in 0..<Self.values { words[new + value] = words[old + value] + counts[value] }
            // Behind all the stores above, also for whoever looks after this process was killed.
            self.words.withAtomic(at: 0) { $0.store((file + 1) << 1 | (1 - half), ordering: .releasing) }
            Self.finish(&words)
            return true
        }
    }

    /// The counts, and how many files they are of.
    func read() async throws -> (counts: [Int], files: Int) {
        try await words.withLock(recover: Self.recover) { words in
            let start = 1 + (words[0] & 1) * Self.values
            let files = (Self.place(of: 0)..<words.count).count { words[$0] != 0 }
            return ((0..<Self.values).map { words[start + $0] }, files)
        }
    }

    private static func recover(_: DeadOwner, _ words: inout MutableSpan<Int>) { finish(&words) }

    /// Notes the file that was added last as counted, which may be noted already.
    private static func finish(_ words: inout MutableSpan<Int>) {
        let file = words[0] >> 1 - 1
        if file >= 0 { words[place(of: file)] = 1 }
    }

    private static func place(of file: Int) -> Int { 1 + 2 * values + file }
}
