/// What a descriptor says of the fields of a type, also where nothing but the descriptor was emitted.
extension TypeDescriptor {
    /// A stored property, or a case of an enumeration.
    package struct Field {
        package let label: String
        /// The type; `nil` for a case without a payload.
        package let name: MangledName?
        package let isIndirect: Bool
    }

    /// More fields than this are taken for a misreading.
    private static let fieldLimit = 1 << 16

    /// The function that returns the metadata; there is none where the optimizer left it out.
    package var hasMetadata: Bool { address.load(fromByteOffset: 12, as: Int32.self) != 0 }

    /// Whether the type is one that can be copied and can escape.
    ///
    /// For a generic type the flag says whether one of its parameters need not be.
    package var isCopyable: Bool { isGeneric || address.load(as: UInt32.self) & 0x20 == 0 }

    /// The numbers of an enumeration's cases with payloads and without.
    package var caseCounts: (payloads: Int, empty: Int) {
        // The upper byte is the offset of a word in metadata.
        let payloads = Int(address.load(fromByteOffset: 20, as: UInt32.self) & 0xFF_FFFF)
        return (payloads, Int(address.load(fromByteOffset: 24, as: UInt32.self)))
    }

    /// The stored properties in the order in which they lie in memory, or the cases, those with payloads first;
    /// `nil` in code that was compiled without reflection metadata.
    ///
    /// `FieldDescriptor` and `FieldRecord` in include/swift/RemoteInspection/Records.h of the Swift project.
    package var fields: [Field]? {
        guard address.load(fromByteOffset: 16, as: Int32.self) != 0 else { return nil }
        let record = relativePointer(at: 16)
        guard ImageTable.isMapped(record, count: 16, content: .data),
            record.load(fromByteOffset: 10, as: UInt16.self) == 12
        else { return nil }
        let count = Int(record.load(fromByteOffset: 12, as: UInt32.self))
        guard count < Self.fieldLimit, ImageTable.isMapped(record, count: 16 + 12 * count, content: .data) else {
            return nil
        }
        let counts = caseCounts
        let expected =
            isEnumeration ? counts.payloads + counts.empty : Int(address.load(fromByteOffset: 20, as: UInt32.self))
        guard count == expected else { return nil }
        let fields = (0..<count).map { index in
            let field = record + 16 + 12 * index
            func target(_ offset: Int) -> UnsafeRawPointer? {
                let relative = Int(field.load(fromByteOffset: offset, as: Int32.self))
                return relative == 0 ? nil : field + offset + relative
            }
            return Field(
                label: target(8).map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? "",
                name: target(4).map { MangledName($0) },
                isIndirect: field.load(as: UInt32.self) & 1 != 0)
        }
        guard !isEnumeration || fields.prefix(while: { $0.name != nil }).count == counts.payloads else { return nil }
        return fields
    }

    /// How names within this type mention its generic parameters, in the order of ``parameters``: by how many generic
    /// contexts stand around the one that declares it, and by its place there.
    package var parameterPlaces: [SyntheticGenericContext.Parameter] {
        // How many parameters each context has, with those around it.
        var counts: [Int] = []
        var context = address
        while ImageTable.isMapped(context, count: 12, content: .data) {
            let flags = context.load(as: UInt32.self)
            if flags & 0x80 != 0 {
                // Behind an extension's reference to its type, an anonymous context's parent, a class's and other types'
                // fields, `TargetGenericContextDescriptorHeader` begins with the count; a type's has two words before.
                let header = [1: 12, 2: 8, 16: 52, 17: 36, 18: 36][flags & 0x1F]
                guard let header, ImageTable.isMapped(context, count: header + 2, content: .data) else { return [] }
                counts.append(Int(context.load(fromByteOffset: header, as: UInt16.self)))
            }
            guard let parent = Self.parent(of: context) else { break }
            context = parent
        }
        var places: [SyntheticGenericContext.Parameter] = []
        var depth = 0
        for count in counts.reversed() where count > places.count {
            let before = places.count
            places += (before..<count).map { SyntheticGenericContext.Parameter(depth: depth, index: $0 - before) }
            depth += 1
        }
        return places
    }

    /// The context around the one at `context`; `nil` for a module.
    private static func parent(of context: UnsafeRawPointer) -> UnsafeRawPointer? {
        let field = context + 4
        let relative = Int(field.load(as: Int32.self))
        guard relative != 0 else { return nil }
        let parent = field + (relative & ~1)
        guard relative & 1 != 0 else { return parent }
        guard ImageTable.isMapped(parent, count: 8, content: .data) else { return nil }
        return parent.load(as: UnsafeRawPointer?.self)
    }

    /// The name with those of the module and the types around it; `nil` for a type that was declared in C, which
    /// may have a union or fields of single bits.
    package var qualifiedName: String? {
        var names = [name]
        var context = address
        while true {
            guard let parent = Self.parent(of: context), ImageTable.isMapped(parent, count: 12, content: .data) else {
                return nil
            }
            context = parent
            let kind = context.load(as: UInt32.self) & 0x1F
            // A module, or a type; extensions and anonymous contexts have no name.
            guard kind == 0 || kind >= 16 else { continue }
            let text = context + 8 + Int(context.load(fromByteOffset: 8, as: Int32.self))
            names.append(String(cString: text.assumingMemoryBound(to: CChar.self)))
            if kind == 0 { return names.last == "__C" ? nil : names.reversed().joined(separator: ".") }
        }
    }
}
