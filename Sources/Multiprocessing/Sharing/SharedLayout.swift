import MultiprocessingRuntime

/// How values of a type lie in memory that processes share.
struct SharedLayout<Value: BitwiseCopyable> {
    /// The alignment up to which there is a place for values.
    static var alignmentLimit: Int { SharedRegion.headerSize }

    /// Tells the type from others of the same size: of its name and its layout.
    ///
    /// The name is the short one, since that of a private type has an address in it that differs between processes.
    static var fingerprint: UInt64 {
        let numbers = [MemoryLayout<Value>.size, MemoryLayout<Value>.stride, MemoryLayout<Value>.alignment]
        // FNV-1a: the same in every process, as Swift's own hashes are not.
        return "\(_typeName(Value.self, qualified: false)) \(numbers)".utf8.reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }

    /// Refuses a type whose values mean nothing in another process, or have no place.
    ///
    /// - Parameter value: One of them, whose fields are looked at.
    static func check(_ value: Value) throws(SharedStateError) {
        if let pointer = pointer(in: value, depth: 0) {
            throw refused("holds \(pointer), whose address means nothing in another process; share what it points to")
        }
        guard MemoryLayout<Value>.alignment <= alignmentLimit else {
            throw refused(
                "has an alignment of \(MemoryLayout<Value>.alignment) bytes, and \(alignmentLimit) is the most")
        }
    }

    /// The value that memory holds which was never written.
    ///
    /// - Throws: If zeros are no value of the type.
    static func zero() throws(SharedStateError) -> Value {
        guard ZeroBits(of: Value.self).areValue else {
            throw refused("has no value that is all zeros, which is what new memory holds; pass the elements")
        }
        return withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { place in
            UnsafeMutableRawBufferPointer(place).initializeMemory(as: UInt8.self, repeating: 0)
            return place[0]
        }
    }

    private static func refused(_ reason: String) -> SharedStateError {
        SharedStateError(.invalidArgument, "the type \(shortName(of: Value.self)) cannot be shared: it \(reason)")
    }

    /// The name of a type of pointers that a value holds, if it is known to hold one.
    private static func pointer(in value: Any, depth: Int) -> String? {
        let name = _typeName(type(of: value), qualified: false)
        if isPointer(name) { return name }
        guard depth < 16 else { return nil }
        for child in Mirror(reflecting: value).children {
            if let found = pointer(in: child.value, depth: depth + 1) { return found }
        }
        return nil
    }

    private static func isPointer(_ name: String) -> Bool {
        let words = name.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return words.contains { word in
            word == "OpaquePointer" || word == "Unmanaged" || (word.hasPrefix("Unsafe") && word.hasSuffix("Pointer"))
        }
    }
}
