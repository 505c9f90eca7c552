import MultiprocessingRuntime

/// The shape of a type that may have no metadata, from its name and the descriptors that this refers to.
struct NamedTypeShapes {
    /// What the generic parameters in the name stand for.
    var parameters: [SyntheticGenericContext.Parameter: any ValueShape] = [:]

    /// Deeper nesting is refused.
    private static let depthLimit = 24
    private var depth = 0

    init(_ parameters: [SyntheticGenericContext.Parameter: any ValueShape] = [:]) {
        self.parameters = parameters
    }

    /// The shape of the type with this name, which the runtime could not resolve.
    func shape(of name: MangledName) throws(ShapeRefusal) -> any ValueShape {
        switch name.storage {
        case .other(let what): throw ShapeRefusal(what)
        case .function: throw ShapeRefusal("a function")
        case .value: break
        }
        guard let named = NamedTypeParser.parse(name) else {
            throw .lost("a value of a type that is not known at run time")
        }
        return try shape(of: named)
    }

    /// The shape that the type of this metadata, which is no generic one, would have without it.
    func shape(withoutMetadata type: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        // A metatype's value is the address of the metadata, and its second word that of the descriptor.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        return try nominal(metadata.load(fromByteOffset: 8, as: UnsafeRawPointer.self), [])
    }

    func shape(of named: NamedType) throws(ShapeRefusal) -> any ValueShape {
        if let type = Self.type(of: named) { return try ShapeTable.shared.shape(of: type) }
        switch named {
        case .standard(let type):
            return try ShapeTable.shared.shape(of: type)
        case .parameter(let parameter):
            guard let shape = parameters[parameter] else { throw .lost("a value of a generic type") }
            return shape
        case .tuple(let elements):
            var shapes: [any ValueShape] = []
            for (index, element) in elements.enumerated() {
                shapes.append(try part(element.label.isEmpty ? "\(index)" : element.label, of: "a tuple", element.type))
            }
            return FieldsShape(name: "(" + shapes.map(\.name).joined(separator: ", ") + ")", shapes)
        case .nominal(let address, let arguments):
            return try nominal(address, arguments)
        }
    }

    /// The type, if there is one.
    static func type(of named: NamedType) -> Any.Type? {
        guard let node = node(of: named) else { return nil }
        return try? TypeReference(node: node).resolve()
    }

    private static func node(of named: NamedType) -> TypeReference.Node? {
        switch named {
        case .standard(let type):
            return try? TypeReference(type).node
        case .parameter:
            return nil
        case .tuple(let elements):
            // Of one element there is no tuple.
            let nodes = elements.compactMap { node(of: $0.type) }
            guard nodes.count == elements.count, nodes.count != 1 else { return nil }
            return .tuple(labels: elements.map(\.label), elements: nodes)
        case .nominal(let address, let arguments):
            let nodes = arguments.compactMap { node(of: $0) }
            guard nodes.count == arguments.count, let descriptor = TypeDescriptor(incomplete: address),
                descriptor.hasMetadata, let place = try? DescriptorReference(address)
            else { return nil }
            return .nominal(place, arguments: nodes)
        }
    }

    private func nominal(_ address: UnsafeRawPointer, _ arguments: [NamedType]) throws(ShapeRefusal) -> any ValueShape {
        guard depth < Self.depthLimit, let descriptor = TypeDescriptor(incomplete: address) else {
            throw .lost("a value of a type that is nested too deeply")
        }
        let names = arguments.map { self.name(of: $0) }
        if address == StandardType.array { return EmptyCollectionShape(name: "[\(names.joined())]") { [Int]() } }
        if address == StandardType.set { return EmptyCollectionShape(name: "Set<\(names.joined())>") { Set<Int>() } }
        if address == StandardType.dictionary {
            return EmptyCollectionShape(name: "[\(names.joined(separator: ": "))]") { [Int: Int]() }
        }
        guard let plainName = descriptor.qualifiedName else {
            throw ShapeRefusal("a value of the type \(descriptor.name), which was declared in C")
        }
        let name = plainName + (names.isEmpty ? "" : "<\(names.joined(separator: ", "))>")
        guard !descriptor.isClass else { throw .object(name, isCodable: false) }
        guard descriptor.isCopyable else { throw ShapeRefusal("a value of type \(name), which cannot be copied") }
        let generic = descriptor.parameters
        guard generic.count == arguments.count, generic.allSatisfy({ $0.kind == .type }) else {
            throw .lost("a value of type \(name), whose generic parameters are of an unusual kind")
        }
        guard let fields = descriptor.fields else {
            throw ShapeRefusal("a value of type \(name), which was compiled without reflection metadata")
        }

        var inner = NamedTypeShapes()
        inner.depth = depth + 1
        for (place, argument) in zip(descriptor.parameterPlaces, arguments) {
            // An argument may be a type that no field has.
            inner.parameters[place] = try? shape(of: argument)
        }
        var shapes: [any ValueShape] = []
        for field in fields {
            guard let fieldName = field.name else { continue }
            guard !field.isIndirect else {
                throw ShapeRefusal.lost("an indirect case").inside(name, field.label)
            }
            do {
                // The runtime would leave out the strength of a reference.
                if arguments.isEmpty, case .value = fieldName.storage, let type = fieldName.resolve() {
                    shapes.append(try ShapeTable.shared.shape(of: type))
                } else {
                    shapes.append(try inner.shape(of: fieldName))
                }
            } catch {
                var refusal = error.inside(name, field.label)
                // With metadata, the whole might have gone by its own coding.
                refusal.lacksMetadata = !refusal.isCodableObject
                throw refusal
            }
        }
        return descriptor.isEnumeration
            ? try enumeration(
                descriptor, CasesShape(name: name, payloads: shapes, emptyCount: descriptor.caseCounts.empty))
            : try structure(descriptor, FieldsShape(name: name, shapes))
    }

    private func structure(_ descriptor: TypeDescriptor, _ shape: FieldsShape) throws(ShapeRefusal) -> any ValueShape {
        // There is a record where the layout does not follow from the fields.
        if let layout = LayoutRecords.current.layouts[UInt(bitPattern: descriptor.address)] {
            guard layout.size == shape.size, layout.alignment == shape.alignment, layout.spareCount == shape.spareCount
            else { throw .lost("a value of type \(shape.name), which is laid out in an unusual way") }
        }
        return shape
    }

    private func enumeration(_ descriptor: TypeDescriptor, _ shape: CasesShape) throws(ShapeRefusal) -> any ValueShape {
        let records = LayoutRecords.current
        let key = UInt(bitPattern: descriptor.address)
        let layout: LayoutRecords.Layout? = records.layouts[key]
        if descriptor.caseCounts.payloads > 1, !hasDependentPayload(descriptor) {
            guard layout != nil, records.usesSpareBits[key] == false else {
                throw .lost("a value of type \(shape.name), whose cases share bits")
            }
        }
        if let layout {
            guard layout.size == shape.size, layout.alignment == shape.alignment, layout.spareCount == shape.spareCount
            else { throw .lost("a value of type \(shape.name), which is laid out in an unusual way") }
        }
        return shape
    }

    /// Whether a payload is a generic parameter, of which no bits are known to be free where the enumeration is
    /// declared.
    private func hasDependentPayload(_ descriptor: TypeDescriptor) -> Bool {
        (descriptor.fields ?? []).contains { field in
            field.name.flatMap { SyntheticGenericContext.Parameter(mangled: $0.text) } != nil
        }
    }

    private func part(_ label: String, of name: String, _ named: NamedType) throws(ShapeRefusal) -> any ValueShape {
        do {
            return try shape(of: named)
        } catch {
            throw error.inside(name, label)
        }
    }

    /// The name for people.
    private func name(of named: NamedType) -> String {
        if let type = Self.type(of: named) { return readableName(of: type) }
        switch named {
        case .standard(let type): return readableName(of: type)
        case .parameter(let parameter): return parameters[parameter]?.name ?? "a generic parameter"
        case .tuple(let elements): return "(" + elements.map { name(of: $0.type) }.joined(separator: ", ") + ")"
        case .nominal(let address, let arguments):
            let name = TypeDescriptor(incomplete: address).map { $0.qualifiedName ?? $0.name } ?? "a type"
            return arguments.isEmpty
                ? name : name + "<" + arguments.map { self.name(of: $0) }.joined(separator: ", ") + ">"
        }
    }
}

extension ShapeRefusal {
    /// Something that would be possible if this build had kept a type's metadata.
    static func lost(_ what: String) -> ShapeRefusal {
        var refusal = ShapeRefusal(what)
        refusal.lacksMetadata = true
        return refusal
    }
}
