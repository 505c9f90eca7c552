internal import Synchronization

/// The other side's ``KeyTable``, as far as it has been sent.
///
/// One for each connection. Decoders on several threads may use it while it grows.
package final class ReceivedKeys: Sendable {
    private let map = Mutex(KeyMap(keys: [], indices: [:]))

    package init() {}

    /// The number of entries received.
    package var count: Int { map.withLock { $0.keys.count } }

    /// Adds what ``KeyTable/encodeEntries(from:into:)`` wrote; nothing if it throws.
    package func append(from reader: inout ByteReader) throws(CodingFailure) {
        let start = reader.offset
        let first = try reader.readVarint()
        let known = current()
        guard first == UInt64(known.keys.count) else { throw CodingFailure(.unknownKey, offset: start) }
        var keys = known.keys
        var indices = known.indices
        for _ in 0..<(try reader.readCount()) {
            let offset = reader.offset
            let head = try reader.readVarint()
            guard head >> 1 <= UInt64(reader.remaining) else { throw CodingFailure(.impossibleLength, offset: offset) }
            let text = try reader.readText(Int(head >> 1))
            let integer: Int? = head & 1 == 1 ? Int(try reader.read(Int64.self)) : nil
            guard indices.updateValue(UInt32(truncatingIfNeeded: keys.count), forKey: text) == nil else {
                throw CodingFailure(.duplicateKey, offset: offset)
            }
            keys.append(PathKey(stringValue: text, intValue: integer))
        }
        let grown = KeyMap(keys: keys, indices: indices)
        map.withLock { $0 = grown }
    }

    /// The entries as they are now, for one call of a decoder.
    func current() -> KeyMap {
        map.withLock { map in
            if map.isOutgrown { map = KeyMap(keys: map.keys, indices: map.indices) }
            return map
        }
    }
}
