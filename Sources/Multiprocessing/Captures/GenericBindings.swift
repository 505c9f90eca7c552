import CMultiprocessing
import MultiprocessingRuntime

/// The generic environment that a closure of an unspecialized generic function carries: metadata
/// and witness tables, one word each, ahead of its captures.
///
/// lib/IRGen/GenHeap.cpp and `NecessaryBindings` in GenProto.cpp of the Swift project lay it out;
/// the descriptor's metadata sources say which word is the metadata of which parameter
/// (include/swift/RemoteInspection/MetadataSource.h: "B0" is the first word).
struct GenericBindings {
    let bindings: [ClosureShape.Binding]
    /// What the generic parameters stand for.
    let types: [SyntheticGenericContext.Parameter: Any.Type]

    /// Which word of the environment of `box` is the metadata of which parameter.
    private static func parameters(
        of box: CaptureBox
    ) throws(NotPortable) -> [SyntheticGenericContext.Parameter: Int] {
        var parameters: [SyntheticGenericContext.Parameter: Int] = [:]
        for index in 0..<box.sourceCount {
            let source = box.source(index)
            guard source.place.hasPrefix("B"), let word = Int(source.place.dropFirst()), word < box.bindingCount,
                let parameter = SyntheticGenericContext.Parameter(mangled: source.parameter)
            else { throw NotPortable("it stands in generic code whose parameters cannot be read") }
            parameters[parameter] = word
        }
        return parameters
    }

    /// Takes the environment of `box` that another process read.
    init(of box: CaptureBox, _ bindings: [ClosureShape.Binding]) throws(NotPortable) {
        var types: [SyntheticGenericContext.Parameter: Any.Type] = [:]
        for (parameter, word) in try Self.parameters(of: box) {
            guard word < bindings.count, case .type(let type) = bindings[word] else {
                throw .damaged("a generic parameter is no type")
            }
            types[parameter] = try type.resolve()
        }
        self.bindings = bindings
        self.types = types
    }

    /// Reads the environment of `box` from the object at `object`.
    init(of box: CaptureBox, at object: UnsafeRawPointer) throws(NotPortable) {
        let count = box.bindingCount
        guard count > 0 || box.sourceCount > 0 else {
            bindings = []
            types = [:]
            return
        }
        let parameters = try Self.parameters(of: box)
        let words = (0..<count).map { object.load(fromByteOffset: box.bindingOffset + 8 * $0, as: UInt.self) }
        // The length of a parameter pack is a small number where everything else is an address.
        guard words.allSatisfy({ $0 >= 4096 && $0 % 8 == 0 }) else {
            throw NotPortable("it stands in code that is generic over a parameter pack")
        }
        var types: [Int: Any.Type] = [:]
        // Safe: the sources say that the word is metadata, and a metatype is the pointer to it.
        for word in parameters.values { types[word] = unsafeBitCast(words[word], to: Any.Type.self) }

        var references: [Int: TypeReference] = [:]
        for (word, type) in types { references[word] = try TypeReference(type) }
        var bindings: [ClosureShape.Binding] = []
        for (index, word) in words.enumerated() {
            if let reference = references[index] {
                bindings.append(.type(reference))
            } else {
                bindings.append(try Self.conformance(word, candidates: Array(references.values)))
            }
        }
        self.bindings = bindings
        self.types = parameters.compactMapValues { types[$0] }
    }

    /// Names the witness table at the address `word`.
    ///
    /// The table itself cannot be named: even one within an image may be filled in only when a
    /// process first asks for the conformance. So the receiver has to ask too, for the type and the
    /// protocol. The type can be one of the parameters, a part of one, or, for an associated type,
    /// the one that the conformance was declared for.
    private static func conformance(
        _ word: UInt,
        candidates: [TypeReference]
    ) throws(NotPortable) -> ClosureShape.Binding {
        // A witness table begins with the address of its conformance's descriptor.
        guard let table = UnsafeRawPointer(bitPattern: word),
            let descriptor = table.load(as: UnsafeRawPointer?.self),
            UInt(bitPattern: descriptor) % 4 == 0,
            ImageTable.isMapped(descriptor, count: 16, content: .data),
            let proto = protocolDescriptor(ofConformance: descriptor)
        else { throw NotPortable("it stands in generic code that uses a conformance that cannot be read") }
        let reference = try DescriptorReference(proto)
        var candidates = candidates
        if let declared = declaredType(ofConformance: descriptor) { candidates.append(declared) }
        var next = 0
        while next < candidates.count {
            let candidate = candidates[next]
            if witnessTable(of: try candidate.resolve(), proto) == table {
                return .conformance(of: candidate, to: reference)
            }
            candidates += candidate.arguments
            next += 1
        }
        throw NotPortable("it stands in generic code that uses a conformance that cannot be found again")
    }

    private static func witnessTable(of type: Any.Type, _ proto: UnsafeRawPointer) -> UnsafeRawPointer? {
        // A metatype without a static type is the pointer to the type's metadata.
        mp_swift_conforms(unsafeBitCast(type, to: UnsafeRawPointer.self), proto)
    }

    /// A conformance's descriptor begins with a relative pointer to the protocol, whose lowest bit
    /// says whether it leads there through another pointer.
    private static func protocolDescriptor(ofConformance descriptor: UnsafeRawPointer) -> UnsafeRawPointer? {
        let relative = Int(descriptor.load(as: Int32.self))
        let target = descriptor + (relative & ~1)
        guard ImageTable.isMapped(target, count: 8, content: .data) else { return nil }
        return relative & 1 == 0 ? target : target.load(as: UnsafeRawPointer?.self)
    }

    /// The second field leads to the type that the conformance was declared for, in a way that
    /// bits 3 to 5 of the flags tell (`TargetProtocolConformanceDescriptor` in
    /// include/swift/ABI/Metadata.h); `nil` for a generic type, whose arguments are not known.
    private static func declaredType(ofConformance descriptor: UnsafeRawPointer) -> TypeReference? {
        let field = descriptor + 4
        let target = field + Int(field.load(as: Int32.self))
        let type: UnsafeRawPointer?
        switch descriptor.load(fromByteOffset: 12, as: UInt32.self) >> 3 & 7 {
        case 0: type = target
        case 1 where ImageTable.isMapped(target, count: 8, content: .data):
            type = target.load(as: UnsafeRawPointer?.self)
        default: type = nil
        }
        guard let type, let declared = TypeDescriptor(type), !declared.isGeneric,
            let reference = try? DescriptorReference(type)
        else { return nil }
        return TypeReference(node: .nominal(reference, arguments: []))
    }

    /// The words of `bindings` in this process.
    static func words(of bindings: [ClosureShape.Binding]) throws(NotPortable) -> [UnsafeRawPointer] {
        var words: [UnsafeRawPointer] = []
        for binding in bindings {
            switch binding {
            case .type(let type):
                // A metatype without a static type is the pointer to the type's metadata.
                words.append(unsafeBitCast(try type.resolve(), to: UnsafeRawPointer.self))
            case .conformance(let type, let descriptor):
                let proto = try descriptor.resolve()
                // Kind 3 in the flags of a context descriptor is a protocol.
                guard proto.load(as: UInt32.self) & 0x1F == 3,
                    let table = witnessTable(of: try type.resolve(), proto)
                else { throw .damaged("a type does not conform to a protocol") }
                words.append(table)
            }
        }
        return words
    }
}
