internal import Synchronization

/// The other side's ``KeyTable``, as far as it has been sent.
///
/// One for each connection. Decoders on several threads may use it while it grows.
package final class ReceivedKeys: Sendable {
    private let state = Mutex(State())

    private struct State {
        var map = KeyMap(keys: [], indices: [:])
        /// A decoder that the last call has left for the next.
        var idle: IdleDecoder?

        /// The entries as they are now.
        mutating func current() -> KeyMap {
            if map.isOutgrown { map = KeyMap(keys: map.keys, indices: map.indices) }
            return map
        }
    }

    /// What `init(from:)` finds in the `userInfo` of each decoder of this connection's bytes.
    package let userInfo: [CodingUserInfoKey: any Sendable]

    package init(userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.userInfo = userInfo
    }

    /// The number of entries received.
    package var count: Int { state.withLock { $0.map.keys.count } }

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
        state.withLock { $0.map = grown }
    }

    /// The entries as they are now.
    private func current() -> KeyMap { state.withLock { $0.current() } }

    /// For one call of a decoder: the entries as they are now, and the decoder that an earlier call has left.
    func take() -> (KeyMap, IdleDecoder?) {
        state.withLock { state in (state.current(), state.idle.take()) }
    }

    /// Keeps a decoder for the next call.
    func keep(_ decoder: IdleDecoder) {
        let last = state.withLock { state in
            defer { state.idle = decoder }
            return state.idle
        }
        // Released here, outside of the lock.
        _ = last
    }
}

/// A decoder that no value has kept, with those of the levels below it.
///
/// `Sendable` is unchecked because nobody else has it: it goes from one call to the next.
struct IdleDecoder: @unchecked Sendable {
    let root: ValueDecoder
}
