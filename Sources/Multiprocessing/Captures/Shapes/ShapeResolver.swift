import Distributed
import MultiprocessingRuntime

/// Finds out how values of a type are captured: the rule of ``ValueShape``, for types whose metadata exists.
struct ShapeResolver {
    /// Deeper nesting is refused; a generic type can contain itself with ever other arguments.
    private static let depthLimit = 64

    /// The types around the one that is being looked at.
    private var pending: Set<ObjectIdentifier> = []

    mutating func shape(of type: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        if let plain = type as? any PlainValue.Type { return try CodedShape(plain, isPlain: true) }
        if let collection = type as? any CapturedCollection.Type { return try collection.shape(&self) }
        // A metatype's value is the address of the metadata.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        switch metadata.load(as: UInt.self) {
        case 0x200, 0x201, 0x202:
            if let portable = type as? any Portable.Type { return try CodedShape(portable) }
            return try nominal(type, metadata)
        case 0x301:
            return try tuple(type)
        case 0, 0x203, 0x305:
            // A reference to an actor that another process may have: it travels as the actor's id.
            if type is any DistributedActor.Type, let reference = type as? any Codable.Type {
                return try CodedShape(reference)
            }
            throw .object(
                readableName(of: type), isCodable: type is any Encodable.Type, advice: captureAdvice(for: type))
        case 0x302:
            throw ShapeRefusal("a function, of type \(readableName(of: type))")
        case 0x303, 0x307:
            throw ShapeRefusal(
                "a value of type \(readableName(of: type)), of which a worker process cannot know the type inside; "
                    + "capture a value of that type itself, or an enumeration of the types there are")
        case 0x304, 0x306:
            throw ShapeRefusal("a type, \(readableName(of: type))")
        default:
            throw ShapeRefusal("a pointer or another value of the compiler's own type \(readableName(of: type))")
        }
    }

    /// The shape of a collection's elements.
    mutating func element(_ type: Any.Type, of collection: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        do {
            return try shape(of: type)
        } catch {
            throw error.path.isEmpty ? error.inside(readableName(of: collection), "element") : error
        }
    }

    private mutating func tuple(_ type: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        let name = readableName(of: type)
        var shapes: [any ValueShape] = []
        for (index, element) in (TupleCodec<Void>.elements(of: type) ?? []).enumerated() {
            shapes.append(try part(element.type, "\(index)", of: name))
        }
        return try checked(FieldsShape(name: name, shapes), type)
    }

    private mutating func nominal(_ type: Any.Type, _ metadata: UnsafeRawPointer) throws(ShapeRefusal) -> any ValueShape
    {
        let refusal: ShapeRefusal
        do {
            return try byFields(type, metadata)
        } catch {
            refusal = error
        }
        // Coding a structure with an object in it would send a copy of the object.
        guard !refusal.isCodableObject, let codable = type as? any Codable.Type, !Self.isOfCodableObjects(type) else {
            throw refusal
        }
        return try CodedShape(codable)
    }

    private mutating func byFields(_ type: Any.Type, _ metadata: UnsafeRawPointer) throws(ShapeRefusal)
        -> any ValueShape
    {
        let name = readableName(of: type)
        guard pending.count < Self.depthLimit, pending.insert(ObjectIdentifier(type)).inserted else {
            throw ShapeRefusal("a value of type \(name) within itself")
        }
        defer { pending.remove(ObjectIdentifier(type)) }
        guard let address = metadata.load(fromByteOffset: 8, as: UnsafeRawPointer?.self),
            let descriptor = TypeDescriptor(address), descriptor.isCopyable, descriptor.qualifiedName != nil,
            let fields = descriptor.fields
        else { throw ShapeRefusal("a value of type \(name), whose fields are not recorded") }
        var shapes: [(any ValueShape)?] = []
        for field in fields {
            guard let fieldName = field.name else {
                shapes.append(nil)
                continue
            }
            guard !field.isIndirect else { throw ShapeRefusal("an indirect case").inside(name, field.label) }
            if case .other(let what) = fieldName.storage { throw ShapeRefusal(what).inside(name, field.label) }
            let arguments = metadata + 8 * descriptor.argumentOffset
            guard let fieldType = fieldName.resolve(context: address, arguments: arguments) else {
                throw ShapeRefusal("of a type without a name").inside(name, field.label)
            }
            shapes.append(try part(fieldType, field.label, of: name))
        }
        if descriptor.isEnumeration { return EnumShape(type: type, cases: shapes) }
        return try checked(FieldsShape(name: name, shapes.compactMap { $0 }), type)
    }

    private mutating func part(_ type: Any.Type, _ label: String, of name: String) throws(ShapeRefusal)
        -> any ValueShape
    {
        do {
            return try shape(of: type)
        } catch {
            throw error.inside(name, label)
        }
    }

    /// Checks that a shape made of fields lies in memory as the type itself.
    private func checked(_ shape: FieldsShape, _ type: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        let witness = ValueWitness(type)
        guard shape.size == witness.size, shape.alignment == witness.alignment, shape.spareCount == witness.spareCount
        else { throw ShapeRefusal("a value of type \(shape.name), which has more in memory than fields") }
        return shape
    }

    /// Whether the type is generic over a class that is `Codable`, as a collection of such objects is.
    private static func isOfCodableObjects(_ type: Any.Type) -> Bool {
        guard let reference = try? TypeReference(type) else { return false }
        return reference.arguments.contains { argument in
            guard let type = try? argument.resolve() else { return false }
            if type is any DistributedActor.Type { return false }
            return type is AnyObject.Type && type is any Encodable.Type || isOfCodableObjects(type)
        }
    }
}

/// A type of the standard library without parts, whose `Codable` loses nothing.
protocol PlainValue: Codable {}

extension Bool: PlainValue {}
extension String: PlainValue {}
extension Int: PlainValue {}
extension Int8: PlainValue {}
extension Int16: PlainValue {}
extension Int32: PlainValue {}
extension Int64: PlainValue {}
extension Int128: PlainValue {}
extension UInt: PlainValue {}
extension UInt8: PlainValue {}
extension UInt16: PlainValue {}
extension UInt32: PlainValue {}
extension UInt64: PlainValue {}
extension UInt128: PlainValue {}
extension Float: PlainValue {}
extension Double: PlainValue {}
