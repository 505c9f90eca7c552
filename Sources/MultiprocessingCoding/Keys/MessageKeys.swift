/// The keys that one message uses, numbered in the order in which it first does.
///
/// For messages whose reader may have received nothing else of the process that wrote them. Most use the keys of the
/// one before in the same order, so what was made of those is kept.
final class MessageKeys {
    // Exclusivity is unchecked because no access to these properties lasts longer than one call of an array's own.

    /// For each index of the process's table, one more than its number; zero for a key that has none.
    @exclusivity(unchecked) private var numbers: [UInt32] = []
    /// The keys that have a number: first those that this message uses, then more of the last one's.
    @exclusivity(unchecked) private var indices: [UInt32] = []
    /// How many of them this message uses.
    @exclusivity(unchecked) private var used = 0
    /// All of them as a table; empty if that was not made.
    private let table = ByteBuffer(capacity: 64)

    func number(of index: UInt32) -> UInt64 {
        if used < indices.count, indices[used] == index {
            used &+= 1
            return UInt64(used &- 1)
        }
        if Int(index) < numbers.count {
            let number = Int(numbers[Int(index)])
            if number != 0, number <= used { return UInt64(number &- 1) }
        }
        return add(index)
    }

    @inline(never)
    private func add(_ index: UInt32) -> UInt64 {
        forgetUnused()
        if Int(index) >= numbers.count {
            numbers += Array(repeating: 0, count: Int(index) + 1 - numbers.count)
        }
        indices.append(index)
        numbers[Int(index)] = UInt32(indices.count)
        used = indices.count
        table.removeAll()
        return UInt64(used - 1)
    }

    private func forgetUnused() {
        guard used < indices.count else { return }
        for index in indices[used...] { numbers[Int(index)] = 0 }
        indices.removeSubrange(used...)
        table.removeAll()
    }

    /// Appends the keys as a table of their own, and begins another message.
    ///
    /// A few more of the last message's may be in it, such as those of optional fields.
    func takeEntries(into buffer: ByteBuffer) {
        guard used > 0 else { return }
        if used < indices.count / 2 { forgetUnused() }
        if table.count == 0 { makeTable() }
        table.withUnsafeBytes { buffer.append(contentsOf: $0) }
        used = 0
    }

    private func makeTable() {
        table.append(varint: 0)
        table.append(varint: UInt64(indices.count))
        for index in indices { KeyTable.shared.key(at: UInt64(index))?.append(to: table) }
    }
}
