/// A heap object that holds the captures of a closure, as the compiler lays it out.
///
/// The metadata is `TargetHeapLocalVariableMetadata` in include/swift/ABI/Metadata.h, and the
/// capture descriptor is `CaptureDescriptor` in include/swift/RemoteInspection/Records.h of the
/// Swift project; lib/IRGen/GenHeap.cpp and GenFunc.cpp emit them.
package struct CaptureBox {
    /// How the runtime marks metadata of such an object.
    package static let kind: UInt = 0x400
    /// More captures than this are taken for a misreading.
    private static let captureLimit = 256
    private static let headerSize = 16

    package let metadata: UnsafeRawPointer
    private let descriptor: UnsafeRawPointer

    /// Takes `metadata` for that of a capture box if all of it looks like one.
    package init?(metadata: UnsafeRawPointer) {
        // The word two before is the function that destroys the object.
        guard UInt(bitPattern: metadata) % 8 == 0,
            ImageTable.isMapped(metadata - 16, count: 40, content: .data),
            metadata.load(as: UInt.self) == Self.kind,
            [0, Self.headerSize].contains(Int(metadata.load(fromByteOffset: 8, as: UInt32.self))),
            let destroyer = metadata.load(fromByteOffset: -16, as: UnsafeRawPointer?.self),
            ImageTable.isMapped(destroyer, count: 1, content: .code),
            let descriptor = metadata.load(fromByteOffset: 16, as: UnsafeRawPointer?.self),
            UInt(bitPattern: descriptor) % 4 == 0,
            ImageTable.isMapped(descriptor, count: 12, content: .data)
        else { return nil }
        self.metadata = metadata
        self.descriptor = descriptor
        // Where the first capture is cannot be said of a type that another library lays out, such as an instant of a clock.
        // It is where it would be otherwise, since bindings come before it.
        let hasPlace = metadata.load(fromByteOffset: 8, as: UInt32.self) != 0
        guard hasPlace || bindingCount == 0, captureCount <= Self.captureLimit, sourceCount <= Self.captureLimit,
            bindingCount <= Self.captureLimit,
            ImageTable.isMapped(descriptor, count: 12 + 4 * captureCount + 8 * sourceCount, content: .data)
        else { return nil }
        for index in 0..<captureCount + 2 * sourceCount {
            guard ImageTable.isMapped(relativePointer(at: 12 + 4 * index), count: 1, content: .data) else { return nil }
        }
    }

    package var captureCount: Int { Int(descriptor.load(as: UInt32.self)) }

    /// How many generic parameters the captured types are written in.
    package var sourceCount: Int { Int(descriptor.load(fromByteOffset: 4, as: UInt32.self)) }

    /// How many words of metadata and witness tables precede the captures.
    package var bindingCount: Int { Int(descriptor.load(fromByteOffset: 8, as: UInt32.self)) }

    /// Where in the object the bindings begin, and the captures follow.
    package var bindingOffset: Int { Self.headerSize }

    /// The mangled name of a capture's type.
    package func captureName(_ index: Int) -> MangledName {
        MangledName(relativePointer(at: 12 + 4 * index))
    }

    /// A generic parameter's mangled name, and where its metadata is found.
    package func source(_ index: Int) -> (parameter: String, place: String) {
        let offset = 12 + 4 * captureCount + 8 * index
        return (MangledName(relativePointer(at: offset)).text, MangledName(relativePointer(at: offset + 4)).text)
    }

    private func relativePointer(at offset: Int) -> UnsafeRawPointer {
        descriptor + offset + Int(descriptor.load(fromByteOffset: offset, as: Int32.self))
    }
}
