import Synchronization

/// A type's name that another process running the same executable understands.
///
/// The compiler's own mangled names leave out `private`, `fileprivate` and local types: such a name
/// holds a raw address. This name is structural instead: each nominal type is the address of
/// its context descriptor within its image, which exists for every type whatever its visibility,
/// and generic arguments are names of the same kind. The receiver has the runtime put the parts
/// together, so generic metadata and witness tables come into being there as they would in code.
package struct TypeReference: Hashable, Sendable {
    /// The structure of a type, as far as it can be sent.
    package indirect enum Node: Hashable, Sendable {
        /// A class, structure or enumeration, with the arguments of all its generic contexts.
        case nominal(DescriptorReference, arguments: [Node])
        case tuple(labels: [String], elements: [Node])
        /// The arguments of one parameter pack.
        case pack([Node])
        /// The argument of an integer parameter.
        case value(Int)
        case existential(protocols: [DescriptorReference], isClassBound: Bool)
    }

    package let node: Node

    /// What is known about types that were named or resolved before.
    ///
    /// Types are as many as the program has, so neither side is ever emptied.
    private struct Cache {
        var references: [ObjectIdentifier: Result<TypeReference, NotPortable>] = [:]
        var types: [TypeReference: Any.Type] = [:]
    }

    private static let cache = Mutex(Cache())

    /// Names `type`, and proves the name by resolving it in this process.
    package init(_ type: Any.Type) throws(NotPortable) {
        let identifier = ObjectIdentifier(type)
        if let known = Self.cache.withLock({ $0.references[identifier] }) {
            self = try known.get()
            return
        }
        let result = Result { () throws(NotPortable) in try Self.named(type) }
        Self.cache.withLock { $0.references[identifier] = result }
        self = try result.get()
    }

    private static func named(_ type: Any.Type) throws(NotPortable) -> TypeReference {
        let reference: TypeReference
        do {
            reference = TypeReference(node: try Node(reading: type, depth: 0))
        } catch {
            throw NotPortable(
                "the type \(readableName(of: type)) cannot be named in another process: \(error.reason)")
        }
        guard reference.instantiate() == type else {
            throw NotPortable(
                "the type \(readableName(of: type)) cannot be named in another process: its name does not lead back to it"
            )
        }
        return reference
    }

    package init(node: Node) {
        self.node = node
    }

    /// The types among the generic arguments, or the elements of a tuple.
    package var arguments: [TypeReference] {
        switch node {
        case .nominal(_, let parts), .tuple(_, let parts), .pack(let parts):
            parts.flatMap { (part) -> [TypeReference] in
                switch part {
                case .value: []
                case .pack: TypeReference(node: part).arguments
                case .nominal, .tuple, .existential: [TypeReference(node: part)]
                }
            }
        case .value, .existential: []
        }
    }

    /// Finds the type in this process.
    package func resolve() throws(NotPortable) -> Any.Type {
        if let known = Self.cache.withLock({ $0.types[self] }) { return known }
        try node.validate()
        guard let type = instantiate() else { throw .damaged("a type's name leads nowhere") }
        Self.cache.withLock { $0.types[self] = type }
        return type
    }

    private func instantiate() -> (Any.Type)? {
        var name = SymbolicName()
        guard (try? name.append(node)) != nil else { return nil }
        return name.resolve()
    }
}

extension TypeReference {
    package func encode(into bytes: inout [UInt8]) {
        node.encode(into: &bytes)
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        node = try Node(decoding: &reader, depth: 0)
    }
}

extension TypeReference.Node {
    /// Deeper nesting is taken for damage rather than for a type.
    package static let depthLimit = 64

    private enum Tag: UInt8 {
        case nominal, tuple, pack, value, existential
    }

    package func encode(into bytes: inout [UInt8]) {
        func encode(_ nodes: [Self], into bytes: inout [UInt8]) {
            bytes.append(number: UInt(nodes.count))
            for node in nodes { node.encode(into: &bytes) }
        }
        switch self {
        case .nominal(let descriptor, let arguments):
            bytes.append(Tag.nominal.rawValue)
            descriptor.encode(into: &bytes)
            encode(arguments, into: &bytes)
        case .tuple(let labels, let elements):
            bytes.append(Tag.tuple.rawValue)
            encode(elements, into: &bytes)
            for label in labels { bytes.append(string: label) }
        case .pack(let elements):
            bytes.append(Tag.pack.rawValue)
            encode(elements, into: &bytes)
        case .value(let value):
            bytes.append(Tag.value.rawValue)
            bytes.append(number: UInt(bitPattern: value))
        case .existential(let protocols, let isClassBound):
            bytes.append(Tag.existential.rawValue)
            bytes.append(isClassBound ? 1 : 0)
            bytes.append(number: UInt(protocols.count))
            for descriptor in protocols { descriptor.encode(into: &bytes) }
        }
    }

    package init(decoding reader: inout ReferenceReader, depth: Int) throws(NotPortable) {
        guard depth < Self.depthLimit else { throw .damaged("a type is nested too deeply") }
        func nodes() throws(NotPortable) -> [Self] {
            var nodes: [Self] = []
            for _ in 0..<(try reader.readCount()) { nodes.append(try Self(decoding: &reader, depth: depth + 1)) }
            return nodes
        }
        switch Tag(rawValue: try reader.readByte()) {
        case .nominal:
            let descriptor = try DescriptorReference(decoding: &reader)
            self = .nominal(descriptor, arguments: try nodes())
        case .tuple:
            let elements = try nodes()
            var labels: [String] = []
            for _ in elements { labels.append(try reader.readString()) }
            self = .tuple(labels: labels, elements: elements)
        case .pack:
            self = .pack(try nodes())
        case .value:
            self = .value(Int(bitPattern: try reader.readNumber()))
        case .existential:
            let isClassBound = try reader.readByte() != 0
            var protocols: [DescriptorReference] = []
            for _ in 0..<(try reader.readCount()) { protocols.append(try DescriptorReference(decoding: &reader)) }
            self = .existential(protocols: protocols, isClassBound: isClassBound)
        case nil:
            throw .damaged("a type is of an unknown kind")
        }
    }
}
