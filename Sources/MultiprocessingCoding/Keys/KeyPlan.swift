internal import Synchronization

/// How the keys of one type are written.
struct KeyPlan: Sendable {
    private typealias Cell = Atomic<UInt32>

    /// For each bit pattern of a key, one more than its index in the table; zero while unknown.
    ///
    /// Nil for types whose keys are written as text or as an integer.
    // The memory is never freed, and its cells are atomic.
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Cell>?

    /// Whether containers hold these keys in the order in which they are asked for, and none
    /// twice, which holds for the keys that the standard library makes of a dictionary's.
    let isDictionaryKey: Bool

    private static let plans = TypeTable<KeyPlan>()

    @inline(__always)
    static func of<Key: CodingKey>(_ type: Key.Type) -> UnsafePointer<KeyPlan> {
        plans.record(of: type) { make(type) }
    }

    /// An enumeration of at most one byte that is trivial has at most 256 values, and the
    /// byte tells which it is.
    private static func make<Key: CodingKey>(_ type: Key.Type) -> KeyPlan {
        if MetadataKind.of(type) == MetadataKind.enumeration, MemoryLayout<Key>.size <= 1, _isPOD(type) {
            let cells = UnsafeMutablePointer<Cell>.allocate(capacity: 256)
            for index in 0..<256 { (cells + index).initialize(to: Cell(0)) }
            return KeyPlan(cells: cells, isDictionaryKey: false)
        }
        return KeyPlan(cells: nil, isDictionaryKey: _typeName(type) == "Swift._DictionaryCodingKey")
    }

    /// The key's index in ``KeyTable/shared``, or nil if keys of its type have none.
    @inline(__always)
    func index<Key: CodingKey>(of key: borrowing Key) -> UInt32? {
        guard let cells else { return nil }
        // Only types that are trivial and of one byte at most have cells.
        let bits: UInt8 = MemoryLayout<Key>.size == 0 ? 0 : unsafeBitCast(copy key, to: UInt8.self)
        let cell = cells[Int(bits)].load(ordering: .acquiring)
        return cell != 0 ? cell &- 1 : register(copy key, bits)
    }

    @inline(never)
    private func register<Key: CodingKey>(_ key: Key, _ bits: UInt8) -> UInt32 {
        let index = KeyTable.shared.index(of: key)
        cells?[Int(bits)].store(index + 1, ordering: .releasing)
        return index
    }
}
