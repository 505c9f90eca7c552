/// A place for at most one value, whose type only its user knows.
///
/// An optional of a type parameter would do as well, but every use of one has to look up its type
/// at run time, which takes longer than all else that is done with an item. A small value of plain
/// bits lies in the slot itself, any other in memory of its own.
struct ValueSlot: ~Copyable {
    private enum Place {
        case nowhere
        case here
        case there(UnsafeMutableRawPointer)
    }

    private var place = Place.nowhere
    private var bits: (UInt, UInt, UInt) = (0, 0, 0)

    var isEmpty: Bool {
        if case .nowhere = place { true } else { false }
    }

    /// Puts a value into the slot, which must be empty.
    mutating func put<Value>(_ value: Value) {
        precondition(isEmpty, "a slot holds one value")
        let layout = MemoryLayout<Value>.self
        if Self.fits(Value.self) {
            place = .here
            // Safe: it fits, and bits need neither be destroyed nor stay where they are.
            withUnsafeMutableBytes(of: &bits) { bits in
                bits.baseAddress!.assumingMemoryBound(to: Value.self).initialize(to: value)
            }
        } else {
            let address = UnsafeMutableRawPointer.allocate(byteCount: max(layout.size, 1), alignment: layout.alignment)
            address.initializeMemory(as: Value.self, to: value)
            place = .there(address)
        }
    }

    /// The value, of which there must be one; `Value` must be the type of what was put here.
    func value<Value>() -> Value {
        switch place {
        case .nowhere: preconditionFailure("an empty slot has no value")
        case .here: withUnsafeBytes(of: bits) { $0.baseAddress!.assumingMemoryBound(to: Value.self).pointee }
        case .there(let address): address.assumingMemoryBound(to: Value.self).pointee
        }
    }

    /// Releases the value, if there is one; `Value` must be the type of what was put here.
    mutating func clear<Value>(_ type: Value.Type) {
        let last = place
        place = .nowhere
        guard case .there(let address) = last else { return }
        address.assumingMemoryBound(to: Value.self).deinitialize(count: 1)
        address.deallocate()
    }

    private static func fits<Value>(_ type: Value.Type) -> Bool {
        _isPOD(type) && MemoryLayout<Value>.size <= 3 * MemoryLayout<UInt>.size
            && MemoryLayout<Value>.alignment <= MemoryLayout<UInt>.alignment
    }
}
