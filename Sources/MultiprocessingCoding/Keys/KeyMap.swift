internal import Synchronization

/// The keys of the other side, and which of this side's indices stand for the same key.
final class KeyMap: Sendable {
    let keys: [PathKey]
    let indices: [String: UInt32]

    /// For each of this side's indices: zero if it has not been looked up, one if the other
    /// side has no such key, else two more than the other side's index.
    // The memory belongs to this object alone, and its cells are atomic.
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<UInt32>>
    private let capacity: Int

    init(keys: [PathKey], indices: [String: UInt32]) {
        self.keys = keys
        self.indices = indices
        capacity = KeyTable.shared.count + 256
        cells = .allocate(capacity: capacity)
        for index in 0..<capacity { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: capacity)
        cells.deallocate()
    }

    /// Whether this side has more keys than there is room to remember answers for.
    var isOutgrown: Bool { KeyTable.shared.count > capacity }

    /// The key that the other side knows by an index, or nil if there is none.
    func key(at index: UInt64) -> PathKey? { index < UInt64(keys.count) ? keys[Int(index)] : nil }

    /// The other side's index of a key, or nil if it has none.
    @inline(__always)
    func index(ofLocal local: UInt32) -> UInt32? {
        guard Int(local) < capacity else { return find(local) }
        let cell = cells[Int(local)].load(ordering: .relaxed)
        return cell > 1 ? cell &- 2 : cell == 1 ? nil : remember(local)
    }

    @inline(never)
    private func remember(_ local: UInt32) -> UInt32? {
        let found = find(local)
        cells[Int(local)].store(found.map { $0 + 2 } ?? 1, ordering: .relaxed)
        return found
    }

    private func find(_ local: UInt32) -> UInt32? {
        KeyTable.shared.key(at: UInt64(local)).flatMap { indices[$0.stringValue] }
    }
}
