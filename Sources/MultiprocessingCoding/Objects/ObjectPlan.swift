/// What has to be known of a class before one of its instances is written.
struct ObjectPlan: Sendable {
    /// The bytes that name the class; nil if it has no name that the other side finds.
    let name: [UInt8]?

    /// The fields that the class adds to one whose coding it may have inherited; nil if there are none.
    let added: AddedFields?

    private static let plans = TypeTable<ObjectPlan>()

    static func of(_ type: AnyClass) -> UnsafePointer<ObjectPlan> {
        plans.record(of: type) { ObjectPlan(type) }
    }

    private init(_ type: AnyClass) {
        name = try? ClassNaming.current?.name(type)
        var level: AnyClass = type
        while let parent = _getSuperclass(level), parent is any Encodable.Type {
            if let fields = AddedFields(of: level) {
                added = fields
                return
            }
            level = parent
        }
        added = nil
    }
}

extension ValueEncoder {
    /// Appends an object, behind the name of its class if its place declares another.
    ///
    /// `Codable` alone would write the object as what it is and read it as what is declared, and so lose
    /// what the subclass is.
    func write<T: Encodable>(object value: T) throws {
        // The type that the object says it has. `T` is a class.
        guard let type = type(of: value) as? AnyClass else { return try writeByEncode(value) }
        let plan = ObjectPlan.of(type)
        let isDeclared = type == T.self
        if !isDeclared {
            if storage.userObject(.otherBuild) != nil {
                throw unsendable(value, "\(type) is no \(T.self), and a subclass has no name in another program")
            }
            guard let name = plan.pointee.name else {
                throw unsendable(value, "\(type) cannot be named in another process, where \(T.self) is declared")
            }
            buffer.append(Tag.object)
            buffer.append(varint: UInt64(name.count))
            name.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        guard let added = plan.pointee.added, !added.areEncoded else { return try writeByEncode(value) }
        let observed = ObservedObject(value: value, added: added)
        try writeByEncode(observed)
        switch observed.finding {
        case .areEncoded: added.noteEncoded()
        // A class may have its own way with a single value or a list; where it is declared, its author is believed.
        case .unknown where isDeclared: break
        case .areLeftOut, .unknown:
            throw unsendable(
                value,
                """
                \(type) inherits its coding from a superclass, which leaves out what \(added.owner) adds\(added.list); \
                override encode(to:) and init(from:) there
                """)
        }
    }

    private func unsendable(_ value: Any, _ problem: String) -> EncodingError {
        .invalidValue(value, EncodingError.Context(codingPath: codingPath, debugDescription: problem))
    }
}

extension ValueDecoder {
    /// Reads an object as an instance of the class that it was, if that is one of the declared class.
    func read<T: Decodable>(object type: T.Type, _ head: Head, _ step: PathStep) throws -> T {
        guard head.name != 0 else { return try readByInit(type, head, step) }
        var value = head
        value.name = 0
        let named: Any.Type
        do {
            // Another program's place would be some other class here.
            if storage.userObject(.otherBuild) != nil { throw ClassOfOtherBuild() }
            guard let naming = ClassNaming.current else { return try readByInit(type, value, step) }
            named = try naming.type(try bytes.className(head))
        } catch let failure as CodingFailure {
            throw damage(failure, step)
        } catch {
            throw DecodingError.dataCorrupted(context("the class of an object is not found: \(error)", step, error))
        }
        // Whoever reads another class than was declared where it was written means that one.
        guard named is T.Type, let subclass = named as? any Decodable.Type else {
            return try readByInit(type, value, step)
        }
        func open<Object: Decodable>(_ subclass: Object.Type) throws -> T? {
            try readByInit(subclass, value, step) as? T
        }
        guard let object = try open(subclass) else { throw mismatch(type, value, step) }
        return object
    }
}

private struct ClassOfOtherBuild: Error, CustomStringConvertible {
    var description: String { "a subclass has no name that another program knows" }
}
