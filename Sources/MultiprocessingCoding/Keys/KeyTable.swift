internal import Synchronization

/// The coding keys that this process has written or looked for, each with a small index.
///
/// Bytes carry the index, not the key's text. Whoever sends the bytes first sends the
/// entries that the other side does not have yet (``encodeEntries(from:into:)``), and the
/// other side keeps them in a ``ReceivedKeys``. Entries are only ever added, and only for
/// enumerations without payload, so the program's text bounds their number.
package final class KeyTable: Sendable {
    package static let shared = KeyTable()

    /// The index of the key that ``PathKey/superclass`` stands for.
    static let superclassIndex: UInt32 = 0

    private struct State {
        var keys: [PathKey] = []
        var indices: [String: UInt32] = [:]

        mutating func index(of key: PathKey) -> UInt32 {
            if let index = indices[key.stringValue] { return index }
            let index = UInt32(keys.count)
            keys.append(key)
            indices[key.stringValue] = index
            return index
        }
    }

    private let state: Mutex<State>

    private init() {
        var state = State()
        _ = state.index(of: .superclass)
        self.state = Mutex(state)
    }

    /// The number of entries; bytes that were encoded before use none beyond it.
    package var count: Int { state.withLock { $0.keys.count } }

    /// Appends the entries from `first` on, for ``ReceivedKeys/append(from:)``.
    ///
    /// - Returns: The number of entries that the other side has once it has these, which
    ///   is where the next call starts.
    @discardableResult
    package func encodeEntries(from first: Int, into buffer: ByteBuffer) -> Int {
        let keys = state.withLock { $0.keys }
        precondition(first >= 0 && first <= keys.count, "entries are sent in order")
        buffer.append(varint: UInt64(first))
        buffer.append(varint: UInt64(keys.count - first))
        for key in keys[first...] { key.append(to: buffer) }
        return keys.count
    }

    /// The index of a key, which is added if it is new.
    ///
    /// Keys with the same text are one key.
    func index(of key: some CodingKey) -> UInt32 {
        let key = PathKey(stringValue: key.stringValue, intValue: key.intValue)
        return state.withLock { $0.index(of: key) }
    }

    /// The key with an index, or nil if there is none.
    func key(at index: UInt64) -> PathKey? {
        state.withLock { index < UInt64($0.keys.count) ? $0.keys[Int(index)] : nil }
    }
}

extension PathKey {
    /// Appends the key as an entry of a table.
    func append(to buffer: ByteBuffer) {
        var text = stringValue
        text.withUTF8 { utf8 in
            buffer.append(varint: UInt64(utf8.count) << 1 | (intValue == nil ? 0 : 1))
            buffer.append(contentsOf: UnsafeRawBufferPointer(utf8))
        }
        if let intValue { buffer.append(Int64(intValue)) }
    }
}
