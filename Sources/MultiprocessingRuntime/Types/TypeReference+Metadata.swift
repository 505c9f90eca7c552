/// Reading the structure of a type from its metadata.
///
/// The layouts are those of include/swift/ABI/Metadata.h and the kinds those of
/// include/swift/ABI/MetadataKind.def of the Swift project, all part of the stable ABI.
extension TypeReference.Node {
    private enum Kind {
        static let `class`: UInt = 0
        static let structure: UInt = 0x200
        static let enumeration: UInt = 0x201
        static let optional: UInt = 0x202
        static let tuple: UInt = 0x301
        static let function: UInt = 0x302
        static let existential: UInt = 0x303
        static let metatype: UInt = 0x304
    }

    package init(reading type: Any.Type, depth: Int) throws(NotPortable) {
        guard depth < Self.depthLimit else { throw NotPortable("it is nested too deeply") }
        // A metatype without a static type is the pointer to the type's metadata.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        switch metadata.load(as: UInt.self) {
        case Kind.structure, Kind.enumeration, Kind.optional:
            self = try Self.nominal(metadata, descriptorWord: 1, depth: depth)
        case Kind.class:
            self = try Self.nominal(metadata, descriptorWord: 5, depth: depth)
        case Kind.tuple:
            self = try Self.tuple(metadata, depth: depth)
        case Kind.existential:
            self = try Self.existential(metadata)
        case Kind.function:
            throw NotPortable("\(readableName(of: type)) is a function type")
        case Kind.metatype:
            throw NotPortable("\(readableName(of: type)) is a metatype")
        default:
            throw NotPortable("\(readableName(of: type)) is no structure, enumeration, class or tuple")
        }
    }

    private static func nominal(
        _ metadata: UnsafeRawPointer,
        descriptorWord: Int,
        depth: Int
    ) throws(NotPortable) -> Self {
        let words = metadata.assumingMemoryBound(to: UInt.self)
        guard let address = UnsafeRawPointer(bitPattern: words[descriptorWord]),
            let descriptor = TypeDescriptor(address)
        else { throw NotPortable("it has no descriptor in the executable or a library") }
        let place = try DescriptorReference(address)
        guard descriptor.isGeneric else { return .nominal(place, arguments: []) }

        let stored = words + descriptor.argumentOffset
        var word = descriptor.packShapeCount
        var arguments: [Self] = []
        for (index, parameter) in descriptor.parameters.enumerated() {
            guard parameter.isStored else {
                guard let name = descriptor.fixedType(ofParameter: index),
                    let type = name.resolve(context: address, arguments: UnsafeRawPointer(stored))
                else { throw NotPortable("its generic parameter \(index) is fixed in a way that cannot be read") }
                arguments.append(try Self(reading: type, depth: depth + 1))
                continue
            }
            switch parameter.kind {
            case .type:
                arguments.append(try Self(reading: type(stored[word]), depth: depth + 1))
            case .pack:
                guard let shape = descriptor.packShape(ofWord: word) else {
                    throw NotPortable("the length of a parameter pack cannot be read")
                }
                // The lowest bit tells a pack on the heap from one on the stack.
                guard let pack = UnsafePointer<UInt>(bitPattern: stored[word] & ~1) else {
                    arguments.append(.pack([]))
                    break
                }
                var elements: [Self] = []
                for element in 0..<Int(stored[shape]) {
                    elements.append(try Self(reading: type(pack[element]), depth: depth + 1))
                }
                arguments.append(.pack(elements))
            case .value:
                arguments.append(.value(Int(bitPattern: stored[word])))
            case nil:
                throw NotPortable("it has a generic parameter of an unknown kind")
            }
            word += 1
        }
        return .nominal(place, arguments: arguments)
    }

    private static func tuple(_ metadata: UnsafeRawPointer, depth: Int) throws(NotPortable) -> Self {
        let words = metadata.assumingMemoryBound(to: UInt.self)
        let count = Int(words[1])
        var labels = [String](repeating: "", count: count)
        if let text = UnsafePointer<CChar>(bitPattern: words[2]) {
            // Each label is followed by a space, also an empty one.
            let parts = String(cString: text).split(separator: " ", omittingEmptySubsequences: false)
            for index in 0..<min(count, parts.count) { labels[index] = String(parts[index]) }
        }
        var elements: [Self] = []
        for index in 0..<count {
            elements.append(try Self(reading: type(words[3 + 2 * index]), depth: depth + 1))
        }
        return .tuple(labels: labels, elements: elements)
    }

    private static func existential(_ metadata: UnsafeRawPointer) throws(NotPortable) -> Self {
        let flags = metadata.load(fromByteOffset: 8, as: UInt32.self)
        let count = Int(metadata.load(fromByteOffset: 12, as: UInt32.self))
        guard flags & 0x4000_0000 == 0 else { throw NotPortable("it is a protocol composition with a superclass") }
        var protocols: [DescriptorReference] = []
        for index in 0..<count {
            let word = metadata.load(fromByteOffset: 16 + 8 * index, as: UInt.self)
            guard let descriptor = UnsafeRawPointer(bitPattern: word) else { continue }
            protocols.append(try DescriptorReference(descriptor))
        }
        return .existential(protocols: protocols, isClassBound: flags & 0x8000_0000 == 0)
    }

    /// The type whose metadata is at the address `word`, which comes from other metadata.
    private static func type(_ word: UInt) -> Any.Type {
        // A metatype without a static type is the pointer to the type's metadata.
        unsafeBitCast(word, to: Any.Type.self)
    }
}

extension TypeReference.Node {
    /// Checks what was received as far as possible before the runtime sees it.
    func validate() throws(NotPortable) {
        switch self {
        case .nominal(let reference, let arguments):
            guard let descriptor = TypeDescriptor(try reference.resolve()) else {
                throw .damaged("an address holds no type")
            }
            let parameters = descriptor.parameters
            guard parameters.count == arguments.count else {
                throw .damaged("\(descriptor.name) has another number of generic arguments")
            }
            for (parameter, argument) in zip(parameters, arguments) {
                switch (parameter.kind, argument) {
                case (.value, .value): break
                case (.pack, .pack(let elements)):
                    for element in elements { try element.validateAsType() }
                case (.type, _): try argument.validateAsType()
                default: throw .damaged("\(descriptor.name) has a generic argument of another kind")
                }
            }
        case .tuple(_, let elements):
            for element in elements { try element.validateAsType() }
        case .existential(let protocols, _):
            for reference in protocols {
                // Kind 3 in the flags of a context descriptor is a protocol.
                guard try reference.resolve().load(as: UInt32.self) & 0x1F == 3 else {
                    throw .damaged("an address holds no protocol")
                }
            }
        case .pack, .value:
            throw .damaged("a type is of the wrong kind")
        }
    }

    private func validateAsType() throws(NotPortable) {
        switch self {
        case .pack, .value: throw .damaged("a type is of the wrong kind")
        case .nominal, .tuple, .existential: try validate()
        }
    }
}
