/// The keys that one message uses, numbered in the order in which it first does.
///
/// For messages whose reader may have received nothing else of the process that wrote them.
final class MessageKeys {
    /// For each index of the process's table, one more than its number; zero for a key that is not used.
    private var numbers: [UInt32] = []
    private var indices: [UInt32] = []

    func number(of index: UInt32) -> UInt64 {
        if Int(index) < numbers.count, numbers[Int(index)] != 0 { return UInt64(numbers[Int(index)] - 1) }
        return add(index)
    }

    @inline(never)
    private func add(_ index: UInt32) -> UInt64 {
        if Int(index) >= numbers.count {
            numbers += Array(repeating: 0, count: Int(index) + 1 - numbers.count)
        }
        indices.append(index)
        numbers[Int(index)] = UInt32(indices.count)
        return UInt64(indices.count - 1)
    }

    /// Appends the keys as a table of their own, and begins with none.
    func takeEntries(into buffer: ByteBuffer) {
        guard !indices.isEmpty else { return }
        buffer.append(varint: 0)
        buffer.append(varint: UInt64(indices.count))
        for index in indices {
            KeyTable.shared.key(at: UInt64(index))?.append(to: buffer)
            numbers[Int(index)] = 0
        }
        indices.removeAll(keepingCapacity: true)
    }
}
