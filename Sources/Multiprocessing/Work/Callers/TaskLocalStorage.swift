import CMultiprocessing
import Synchronization

/// Whether a task has task-local values, which Swift tells nobody.
///
/// A task keeps them in a list whose head is one word of its own. Where that word lies is not written
/// anywhere, so it is found: it was zero, and leads to the value when one is bound. Until it has been found
/// every task counts as one that has values, which is slower and never wrong.
package enum TaskLocalStorage {
    /// Where in a task the word lies, in bytes; zero while that is not known, and negative if it cannot be found.
    private static let offset = Atomic(0)

    /// At most so many words of a task are looked at.
    private static let wordLimit = 64

    /// Whether the word has been found.
    package static var isKnown: Bool { offset.load(ordering: .relaxed) > 0 }

    /// Whether the task, which is the current one, certainly has no task-local values.
    static func isEmpty(_ task: UnsafeCurrentTask) -> Bool {
        let offset = offset.load(ordering: .relaxed)
        return offset > 0 && address(of: task).load(fromByteOffset: offset, as: UInt.self) == 0
    }

    /// Finds the word, with the help of the current task, which must have no values yet.
    ///
    /// - Parameters:
    ///   - key: The task-local that `body` binds.
    ///   - body: Calls its argument with the value bound.
    static func learn(key: AnyObject, _ body: (() -> Void) -> Void) {
        guard offset.load(ordering: .relaxed) == 0 else { return }
        let found = withUnsafeCurrentTask { current -> Int? in
            guard let current else { return nil }
            let task = UnsafeMutableRawPointer(mutating: address(of: current))
            let words = UnsafeBufferPointer(
                start: task.assumingMemoryBound(to: UInt.self), count: min(mp_allocation_size(task) / 8, wordLimit))
            let before = Array(words)
            var candidates: [Int] = []
            body {
                let key = UInt(bitPattern: Unmanaged.passUnretained(key).toOpaque())
                let now = Array(words)
                let changed = now.indices.filter { now[$0] != before[$0] }
                candidates = changed.filter { index in
                    // The value's record was allocated just now, and the task's allocator remembers where, in
                    // the words before the record: so the memory is there. It has its key in the second word.
                    let address = now[index]
                    guard before[index] == 0, address % 8 == 0,
                        changed.contains(where: { now[$0] < address && address - now[$0] <= 64 }),
                        let item = UnsafePointer<UInt>(bitPattern: address)
                    else { return false }
                    return item[1] == key
                }
            }
            guard candidates.count == 1, words[candidates[0]] == 0 else { return nil }
            return candidates[0] * 8
        }
        offset.store(found ?? -1, ordering: .relaxed)
    }

    private static func address(of task: UnsafeCurrentTask) -> UnsafeRawPointer {
        // Safe: the structure is one reference to the task, which lives while it runs.
        unsafeBitCast(task, to: UnsafeRawPointer.self)
    }
}
