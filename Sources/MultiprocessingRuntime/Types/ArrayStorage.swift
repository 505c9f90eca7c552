/// The class of the objects that hold the elements of arrays.
///
/// `_ContiguousArrayStorage` in stdlib/public/core/ContiguousArrayBuffer.swift of the Swift project.
package enum ArrayStorage {
    /// The descriptor of that class, from the storage of an array that has one.
    private static let descriptor: UInt? = {
        let array = [0]
        return withExtendedLifetime(array) {
            // An array is one reference to its storage.
            descriptorOfClass(unsafeBitCast(array, to: UnsafeRawPointer.self).load(as: UnsafeRawPointer.self))
        }
    }()

    /// The element type if `type` is a class of array storage.
    package static func element(of type: Any.Type) -> Any.Type? {
        // A metatype without a static type is the pointer to the type's metadata.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        guard let address = descriptorOfClass(metadata), address == descriptor,
            let pointer = UnsafeRawPointer(bitPattern: address), let descriptor = TypeDescriptor(pointer),
            descriptor.parameters.count == 1
        else { return nil }
        return metadata.load(fromByteOffset: 8 * descriptor.argumentOffset, as: Any.Type.self)
    }

    private static func descriptorOfClass(_ metadata: UnsafeRawPointer) -> UInt? {
        guard metadata.load(as: UInt.self) == 0 else { return nil }
        return metadata.load(fromByteOffset: 40, as: UInt.self)
    }
}

/// The one object that is the storage of every empty array.
package enum EmptyArrayStorage {
    package static var address: UnsafeRawPointer {
        // An array is one reference to its storage, and this one is never freed.
        unsafeBitCast([Int](), to: UnsafeRawPointer.self)
    }
}
