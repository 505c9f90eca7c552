internal import Synchronization

/// The stored properties that a class has besides those of a superclass that is `Codable`.
///
/// A class that does not override its superclass's `encode(to:)` is written without them, and nothing tells.
///
/// The layouts are those of include/swift/ABI/Metadata.h and Reflection/Records.h of the Swift project, which are
/// part of the stable ABI: 32-bit fields, and pointers relative to the field that holds them.
final class AddedFields: Sendable {
    /// The class.
    let owner: String
    private let names: [String]
    // A descriptor is a constant of the executable or a library.
    private nonisolated(unsafe) let descriptor: UnsafeRawPointer
    private let encoded = Atomic(false)

    /// - Returns: `nil` if the class adds none that hold a value of their own.
    init?(of type: AnyClass) {
        // A metatype of a class is the address of its metadata, whose sixth word leads to the descriptor.
        let metadata = unsafeBitCast(type, to: UnsafePointer<UnsafeRawPointer?>.self)
        guard let descriptor = metadata[5] else { return nil }
        let count = Int(descriptor.load(fromByteOffset: 36, as: UInt32.self))
        let names = Self.names(descriptor, count)
        // The compiler's own, for lazy and observed properties, are no information.
        guard count > 0, names.isEmpty || !names.allSatisfy({ $0.contains("$") }) else { return nil }
        owner = String(reflecting: type)
        self.descriptor = descriptor
        self.names = names.filter { !$0.contains("$") }.map { $0.hasPrefix("_") ? String($0.dropFirst()) : $0 }
    }

    /// The names, which are not there in a program that is built without reflection metadata.
    private static func names(_ descriptor: UnsafeRawPointer, _ count: Int) -> [String] {
        guard descriptor.load(fromByteOffset: 16, as: Int32.self) != 0 else { return [] }
        let fields = descriptor.target(at: 16)
        guard Int(fields.load(fromByteOffset: 12, as: UInt32.self)) == count,
            fields.load(fromByteOffset: 10, as: UInt16.self) == 12
        else { return [] }
        return (0..<count).compactMap { index in
            let field = fields + 16 + 12 * index
            guard field.load(fromByteOffset: 8, as: Int32.self) != 0 else { return nil }
            return String(cString: field.target(at: 8).assumingMemoryBound(to: CChar.self))
        }
    }

    /// Whether an instance was seen to encode them.
    var areEncoded: Bool { encoded.load(ordering: .relaxed) }

    func noteEncoded() {
        encoded.store(true, ordering: .relaxed)
    }

    /// The names for an error, behind a space.
    var list: String { names.isEmpty ? "" : " (\(names.joined(separator: ", ")))" }

    /// Whether keys of a type can be those of the fields: it is declared in the class, or has a key for one of them.
    func areKeys<Key: CodingKey>(_ type: Key.Type) -> Bool {
        isDeclared(type, in: descriptor) || names.contains { Key(stringValue: $0) != nil }
    }

    private func isDeclared(_ type: Any.Type, in owner: UnsafeRawPointer) -> Bool {
        let kind = MetadataKind.of(type)
        guard kind == MetadataKind.enumeration || kind == MetadataKind.structure else { return false }
        // As above; the descriptor is the second word of a value type's metadata.
        var context = unsafeBitCast(type, to: UnsafePointer<UnsafeRawPointer?>.self)[1]
        while let current = context {
            if current == owner { return true }
            let parent = current.load(fromByteOffset: 4, as: Int32.self)
            guard parent != 0 else { return false }
            // An odd pointer leads to one that the dynamic linker has filled in.
            let target = current + 4 + Int(parent & ~1)
            context = parent & 1 == 0 ? target : target.load(as: UnsafeRawPointer?.self)
        }
        return false
    }
}

extension UnsafeRawPointer {
    /// What the relative pointer at an offset leads to.
    fileprivate func target(at offset: Int) -> UnsafeRawPointer {
        self + offset + Int(load(fromByteOffset: offset, as: Int32.self))
    }
}
