import CMultiprocessing

/// What the runtime knows about the values of a type that is known only at run time.
package struct ValueWitness {
    private let type: Any.Type

    package init(_ type: Any.Type) {
        self.type = type
    }

    package var size: Int {
        func size<Value>(_: Value.Type) -> Int { MemoryLayout<Value>.size }
        return _openExistential(type, do: size)
    }

    package var alignment: Int {
        func alignment<Value>(_: Value.Type) -> Int { MemoryLayout<Value>.alignment }
        return _openExistential(type, do: alignment)
    }

    /// Whether a value is nothing but its bits, with no reference in it.
    package var isTrivial: Bool {
        func isTrivial<Value>(_: Value.Type) -> Bool { _isPOD(Value.self) }
        return _openExistential(type, do: isTrivial)
    }

    /// The type of arrays of this type.
    package var array: Any.Type {
        func array<Value>(_: Value.Type) -> Any.Type { [Value].self }
        return _openExistential(type, do: array)
    }

    /// Destroys the value of this type at `pointer`.
    package func destroy(at pointer: UnsafeMutableRawPointer) {
        func destroy<Value>(_: Value.Type) { pointer.assumingMemoryBound(to: Value.self).deinitialize(count: 1) }
        _openExistential(type, do: destroy)
    }
}

/// What the standard library has no functions for.
extension ValueWitness {
    // A metatype's value is the address of the metadata.
    private var metadata: UnsafeRawPointer { unsafeBitCast(type, to: UnsafeRawPointer.self) }

    /// How many patterns of bits are no value.
    package var spareCount: Int { Int(mp_swift_spare_count(metadata)) }

    /// The number of the pattern at `place` that is no value, or `nil` for a value.
    package func spare(at place: UnsafeRawPointer) -> Int? {
        let found = mp_swift_spare(place, metadata)
        return found == 0 ? nil : Int(found) - 1
    }

    /// Writes the pattern with this number that is no value.
    package func storeSpare(_ index: Int, at place: UnsafeMutableRawPointer) {
        mp_swift_store_spare(place, UInt32(index) + 1, metadata)
    }

    /// Which case of an enumeration is at `place`, in the order of the type's descriptor.
    package func enumCase(at place: UnsafeRawPointer) -> Int { Int(mp_swift_enum_case(place, metadata)) }

    /// Turns the enumeration at `place` into its payload, without a change of who owns that.
    package func projectPayload(at place: UnsafeMutableRawPointer) { mp_swift_project_payload(place, metadata) }

    /// Turns the payload at `place` into a value of this case.
    package func injectCase(_ index: Int, at place: UnsafeMutableRawPointer) {
        mp_swift_inject_case(place, UInt32(index), metadata)
    }
}
