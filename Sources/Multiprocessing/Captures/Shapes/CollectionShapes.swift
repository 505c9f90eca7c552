import MultiprocessingCoding
import MultiprocessingRuntime

/// Arrays, sets and dictionaries, whose elements travel by the rule for captures.
protocol CapturedCollection {
    static func shape(_ resolver: inout ShapeResolver) throws(ShapeRefusal) -> any ValueShape
}

extension Array: CapturedCollection {
    static func shape(_ resolver: inout ShapeResolver) throws(ShapeRefusal) -> any ValueShape {
        let element = try resolver.element(Element.self, of: Self.self)
        if element.isPlain, let type = Self.self as? any Codable.Type { return try CodedShape(type, isPlain: true) }
        return ArrayShape<Self>(element: element) { try Self(unsafeUninitializedCapacity: $0, initializingWith: $1) }
    }
}

extension ContiguousArray: CapturedCollection {
    static func shape(_ resolver: inout ShapeResolver) throws(ShapeRefusal) -> any ValueShape {
        ArrayShape<Self>(element: try resolver.element(Element.self, of: Self.self)) {
            try Self(unsafeUninitializedCapacity: $0, initializingWith: $1)
        }
    }
}

extension Set: CapturedCollection {
    static func shape(_ resolver: inout ShapeResolver) throws(ShapeRefusal) -> any ValueShape {
        let element = try resolver.element(Element.self, of: Self.self)
        if element.isPlain, let type = Self.self as? any Codable.Type { return try CodedShape(type, isPlain: true) }
        return SetShape<Element>(element: element)
    }
}

extension Dictionary: CapturedCollection {
    static func shape(_ resolver: inout ShapeResolver) throws(ShapeRefusal) -> any ValueShape {
        let key = try resolver.element(Key.self, of: Self.self)
        let value = try resolver.element(Value.self, of: Self.self)
        if key.isPlain, value.isPlain, let type = Self.self as? any Codable.Type {
            return try CodedShape(type, isPlain: true)
        }
        return DictionaryShape<Key, Value>(key: key, value: value)
    }
}

private struct ArrayShape<Elements: RandomAccessCollection>: TypedShape {
    typealias Element = Elements.Element
    typealias Fill = (inout UnsafeMutableBufferPointer<Element>, inout Int) throws -> Void

    let element: any ValueShape
    /// Makes the array: its size, and what initializes its memory.
    let make: @Sendable (Int, Fill) throws -> Elements

    init(element: any ValueShape, make: @escaping @Sendable (Int, Fill) throws -> Elements) {
        self.element = element
        self.make = make
    }

    var type: Any.Type { Elements.self }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        let elements = place.assumingMemoryBound(to: Elements.self).pointee
        message.bytes.append(UInt64(elements.count))
        try elements.withContiguousStorageIfAvailable { elements in
            guard let start = elements.baseAddress else { return }
            for index in elements.indices { try element.encode(at: start + index, into: &message) }
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        let count = try incoming.reader.readCount(of: element)
        var rest = incoming
        let elements = try make(count) { memory, initialized in
            guard let start = memory.baseAddress else { return }
            for index in 0..<count {
                try element.decode(to: start + index, from: &rest)
                initialized += 1
            }
        }
        incoming = rest
        place.initializeMemory(as: Elements.self, to: elements)
    }
}

private struct SetShape<Element: Hashable>: TypedShape {
    let element: any ValueShape

    var type: Any.Type { Set<Element>.self }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        let elements = place.assumingMemoryBound(to: Set<Element>.self).pointee
        message.bytes.append(UInt64(elements.count))
        for value in elements {
            try withUnsafePointer(to: value) { try element.encode(at: $0, into: &message) }
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        var elements: Set<Element> = []
        for _ in 0..<(try incoming.reader.readCount(of: element)) {
            elements.insert(try element.value(Element.self, from: &incoming))
        }
        place.initializeMemory(as: Set<Element>.self, to: elements)
    }
}

private struct DictionaryShape<Key: Hashable, Value>: TypedShape {
    let key: any ValueShape
    let value: any ValueShape

    var type: Any.Type { [Key: Value].self }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        let entries = place.assumingMemoryBound(to: [Key: Value].self).pointee
        message.bytes.append(UInt64(entries.count))
        for (entryKey, entryValue) in entries {
            try withUnsafePointer(to: entryKey) { try key.encode(at: $0, into: &message) }
            try withUnsafePointer(to: entryValue) { try value.encode(at: $0, into: &message) }
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        var entries: [Key: Value] = [:]
        for _ in 0..<(try incoming.reader.readCount(of: key)) {
            let entryKey = try key.value(Key.self, from: &incoming)
            entries[entryKey] = try value.value(Value.self, from: &incoming)
        }
        place.initializeMemory(as: [Key: Value].self, to: entries)
    }
}

/// A collection whose elements' metadata the optimizer left out.
///
/// To store an element takes its metadata, so in a program without it every such collection is empty, and an
/// empty collection of any elements is one reference to an object that all share and that is never freed.
struct EmptyCollectionShape<Sample>: TypedShape {
    let name: String
    /// An empty collection of the same kind.
    let sample: @Sendable () -> Sample

    var type: Any.Type { Sample.self }

    private var empty: UInt { withUnsafeBytes(of: sample()) { $0.load(as: UInt.self) } }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        guard place.load(as: UInt.self) == empty else {
            var refusal = ShapeRefusal("a value of type \(name)")
            refusal.lacksMetadata = true
            throw PoolError.closureNotPortable(NotPortable(refusal.reason))
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) {
        place.storeBytes(of: empty, as: UInt.self)
    }
}

extension ValueShape {
    /// Reads a value of a type that is known here.
    fileprivate func value<Value>(_: Value.Type, from incoming: inout Incoming) throws -> Value {
        let memory = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { memory.deallocate() }
        try decode(to: memory, from: &incoming)
        return memory.move()
    }
}

extension ByteReader {
    /// Reads how many elements follow.
    ///
    /// Elements without fields take no bytes, so that what follows does not bound their number.
    fileprivate mutating func readCount(of element: any ValueShape) throws -> Int {
        let start = offset
        let count: UInt64 = try read()
        guard count <= UInt64(remaining) || element.size == 0 && count <= UInt64(UInt32.max) else {
            throw CodingFailure(.impossibleLength, offset: start)
        }
        return Int(count)
    }
}
