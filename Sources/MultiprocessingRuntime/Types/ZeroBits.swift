/// Whether memory of zeros can hold a value of a type.
package struct ZeroBits {
    private let type: Any.Type

    package init(of type: Any.Type) {
        self.type = type
    }

    /// Deeper nesting is taken for no value.
    private static let depthLimit = 64

    /// Whether a value of the type can have no bit that is set: numbers, `nil`, a case without payload, and
    /// structures of nothing but such.
    ///
    /// No reference is zero, so whatever holds one has a bit that is set. False where it cannot be told.
    package var areValue: Bool { Self.areValue(of: type, depth: 0) }

    private static func areValue(of type: Any.Type, depth: Int) -> Bool {
        let witness = ValueWitness(type)
        if witness.isTrivial { return true }
        guard depth < depthLimit else { return false }
        // A metatype's value is the address of the metadata; the kinds are those of
        // include/swift/ABI/MetadataKind.def of the Swift project.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        switch metadata.load(as: UInt.self) {
        case 0x200:
            guard let types = fieldTypes(metadata), !types.isEmpty else { return false }
            return types.allSatisfy { $0.map { areValue(of: $0, depth: depth + 1) } ?? false }
        case 0x201, 0x202:
            return withUnsafeTemporaryAllocation(byteCount: max(witness.size, 1), alignment: witness.alignment) {
                zeros in
                zeros.initializeMemory(as: UInt8.self, repeating: 0)
                guard let start = zeros.baseAddress, witness.spareCount == 0 || witness.spare(at: start) == nil,
                    let descriptor = metadata.load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
                        .flatMap({ TypeDescriptor($0) })
                else { return false }
                let index = witness.enumCase(at: start)
                if index >= descriptor.caseCounts.payloads { return true }
                // What marks the case is in bits that the payload does not use, so its bits are zero as well.
                guard let types = fieldTypes(metadata), index < types.count, let payload = types[index] else {
                    return false
                }
                return areValue(of: payload, depth: depth + 1)
            }
        case 0x301:
            // `TargetTupleTypeMetadata` in include/swift/ABI/Metadata.h: the count, the labels, then a type and an
            // offset for each element.
            let words = metadata.assumingMemoryBound(to: UInt.self)
            return (0..<Int(words[1])).allSatisfy { index in
                // Safe: metadata of a tuple refers to metadata of its elements.
                areValue(of: unsafeBitCast(words[3 + 2 * index], to: Any.Type.self), depth: depth + 1)
            }
        default:
            return false
        }
    }

    /// The types of the stored properties, or of the payloads; `nil` for one that has none, or is not in place.
    private static func fieldTypes(_ metadata: UnsafeRawPointer) -> [(Any.Type)?]? {
        guard let address = metadata.load(fromByteOffset: 8, as: UnsafeRawPointer?.self),
            let descriptor = TypeDescriptor(address), let fields = descriptor.fields
        else { return nil }
        let arguments = metadata + 8 * descriptor.argumentOffset
        return fields.map { field in
            guard let name = field.name, !field.isIndirect, case .value = name.storage else { return nil }
            return name.resolve(context: address, arguments: arguments)
        }
    }
}
