/// Memory of its own for at most one value, whose type only its user knows.
///
/// An optional of a type parameter would do as well, but every use of one has to look up its type
/// at run time, which takes longer than all else that is done with an item.
struct ValueSlot: ~Copyable {
    private var address: UnsafeMutableRawPointer?

    var isEmpty: Bool { address == nil }

    /// Puts a value into the slot, which must be empty.
    mutating func put<Value>(_ value: consuming Value) {
        precondition(address == nil, "a slot holds one value")
        let layout = MemoryLayout<Value>.self
        let place = UnsafeMutableRawPointer.allocate(byteCount: max(layout.size, 1), alignment: layout.alignment)
        place.initializeMemory(as: Value.self, to: value)
        address = place
    }

    /// The value, of which there must be one; `Value` must be the type of what was put here.
    func value<Value>() -> Value {
        guard let address else { preconditionFailure("an empty slot has no value") }
        return address.assumingMemoryBound(to: Value.self).pointee
    }

    /// Releases the value, if there is one; `Value` must be the type of what was put here.
    mutating func clear<Value>(_ type: Value.Type) {
        guard let place = address else { return }
        address = nil
        place.assumingMemoryBound(to: Value.self).deinitialize(count: 1)
        place.deallocate()
    }
}
