/// Reads a nominal type's context descriptor: the constant that stands for it before any
/// generic argument is filled in.
///
/// The layout is `TargetTypeContextDescriptor` and what derives from it in
/// include/swift/ABI/Metadata.h of the Swift project; it is part of the stable ABI. All of it is
/// 32-bit fields, and pointers are relative to the field that holds them.
package struct TypeDescriptor {
    /// What the runtime calls `ContextDescriptorKind`, for the kinds that are types.
    private enum Kind: UInt32 {
        case `class` = 16
        case structure = 17
        case enumeration = 18
    }

    /// How a generic argument is stored in the metadata.
    package enum ParameterKind: UInt8 {
        case type = 0
        case pack = 1
        case value = 2
    }

    /// One generic parameter, of this type or of a context around it.
    package struct Parameter {
        /// `nil` for a kind that this library does not know.
        package let kind: ParameterKind?
        /// Whether the argument is stored; one that a same-type requirement fixes is not.
        let isStored: Bool
    }

    /// Size of the smallest descriptor, up to the generic header that may follow it.
    static let minimumSize = 28

    package let address: UnsafeRawPointer
    private let kind: Kind

    /// Takes `address` for a descriptor if what is there can be one.
    ///
    /// Descriptors come from metadata in the sender, and from received bytes in the receiver;
    /// the checks are for the latter.
    package init?(_ address: UnsafeRawPointer) {
        self.init(incomplete: address)
        guard ImageTable.isMapped(relativePointer(at: 12), count: 1, content: .code),
            ImageTable.isMapped(address, count: genericHeaderOffset + 16, content: .data)
        else { return nil }
    }

    /// Takes `address` for a descriptor, also for one of a type whose metadata the optimizer left out.
    package init?(incomplete address: UnsafeRawPointer) {
        guard UInt(bitPattern: address) % 4 == 0,
            ImageTable.isMapped(address, count: Self.minimumSize, content: .data),
            let kind = Kind(rawValue: address.load(as: UInt32.self) & 0x1F)
        else { return nil }
        self.address = address
        self.kind = kind
        guard ImageTable.isMapped(relativePointer(at: 8), count: 1, content: .data) else { return nil }
    }

    /// Whether this is the descriptor of a class or an actor.
    package var isClass: Bool { kind == .class }

    /// Whether this is the descriptor of an enumeration.
    package var isEnumeration: Bool { kind == .enumeration }

    /// Whether this type or a context around it has generic parameters.
    package var isGeneric: Bool { address.load(as: UInt32.self) & 0x80 != 0 }

    /// The type's name without its contexts.
    package var name: String { String(cString: relativePointer(at: 8).assumingMemoryBound(to: CChar.self)) }

    /// All generic parameters, those of the outermost context first.
    package var parameters: [Parameter] {
        guard isGeneric else { return [] }
        return (0..<Int(genericHeaderField(0))).map { index in
            let flags = address.load(fromByteOffset: genericHeaderOffset + 16 + index, as: UInt8.self)
            return Parameter(kind: ParameterKind(rawValue: flags & 0x3F), isStored: flags & 0x80 != 0)
        }
    }

    /// How many words precede the arguments that are types or values: the lengths of packs.
    var packShapeCount: Int {
        guard let packHeaderOffset else { return 0 }
        return Int(address.load(fromByteOffset: packHeaderOffset + 2, as: UInt16.self))
    }

    /// For the stored argument with this index among all stored words, which word has its length.
    func packShape(ofWord word: Int) -> Int? {
        guard let packHeaderOffset else { return nil }
        for index in 0..<Int(address.load(fromByteOffset: packHeaderOffset, as: UInt16.self)) {
            let pack = packHeaderOffset + 4 + 8 * index
            if address.load(fromByteOffset: pack, as: UInt16.self) == 0,
                Int(address.load(fromByteOffset: pack + 2, as: UInt16.self)) == word
            {
                return Int(address.load(fromByteOffset: pack + 4, as: UInt16.self))
            }
        }
        return nil
    }

    /// Where in a metadata record of this type its generic arguments begin, in words.
    package var argumentOffset: Int {
        guard kind == .class else { return 2 }
        let flags = address.load(as: UInt32.self) >> 16
        if flags & 0x2000 != 0 {
            // A superclass from a library with evolution: the runtime computed the offset, in bytes.
            return relativePointer(at: 24).load(as: Int.self) / 8
        }
        if flags & 0x1000 != 0 {
            return -Int(address.load(fromByteOffset: 24, as: UInt32.self))
        }
        return Int(address.load(fromByteOffset: 28, as: UInt32.self))
            - Int(address.load(fromByteOffset: 32, as: UInt32.self))
    }

    /// The mangled name of the type that a same-type requirement gives to a parameter.
    func fixedType(ofParameter index: Int) -> MangledName? {
        guard isGeneric else { return nil }
        // docs/ABI/Mangling.rst: the parameters of the outermost context are x, q_, q0_, q1_, …
        let name = index == 0 ? "x" : index == 1 ? "q_" : "q\(index - 2)_"
        var offset = genericHeaderOffset + 16 + Int(genericHeaderField(0) + 3) & ~3
        for _ in 0..<genericHeaderField(2) {
            defer { offset += 12 }
            guard address.load(fromByteOffset: offset, as: UInt32.self) & 0x1F == 1 else { continue }
            if MangledName(relativePointer(at: offset + 4)).text == name {
                return MangledName(relativePointer(at: offset + 8))
            }
        }
        return nil
    }

    private var genericHeaderOffset: Int { kind == .class ? 44 : 28 }

    /// A 16-bit field of the generic header: the number of parameters at 0, of requirements at 2,
    /// of stored words at 4, flags at 6.
    private func genericHeaderField(_ offset: Int) -> UInt16 {
        address.load(fromByteOffset: genericHeaderOffset + 8 + offset, as: UInt16.self)
    }

    private var packHeaderOffset: Int? {
        guard isGeneric, genericHeaderField(6) & 1 != 0 else { return nil }
        let parameters = Int(genericHeaderField(0) + 3) & ~3
        return genericHeaderOffset + 16 + parameters + 12 * Int(genericHeaderField(2))
    }

    func relativePointer(at offset: Int) -> UnsafeRawPointer {
        address + offset + Int(address.load(fromByteOffset: offset, as: Int32.self))
    }
}
