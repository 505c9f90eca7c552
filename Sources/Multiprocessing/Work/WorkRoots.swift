import MultiprocessingRuntime

/// Where the running of a piece of work begins: its functions, and the types of the values that it is given.
struct WorkRoots {
    /// Addresses in this process, of code and of descriptors.
    private(set) var addresses: [UInt] = []

    /// Adds the code of a closure and of all functions that it wraps, and the types of what they capture.
    mutating func add(_ closure: ClosureShape) throws(NotPortable) {
        addresses.append(try closure.function.resolve(context: nil).code)
        switch closure.context {
        // An actor's own code runs where the actor lives.
        case .none, .emptyArray, .reference:
            break
        case .array(let element):
            try add(element.node)
        case .box(let metadata, let bindings, let captures):
            for binding in bindings {
                switch binding {
                case .type(let type):
                    try add(type.node)
                case .conformance(let type, let proto):
                    try add(type.node)
                    try add(proto)
                }
            }
            for case .function(let inner) in captures { try add(inner) }
            try addTypes(of: metadata)
        }
    }

    /// Adds the types that a box's description names, which may code themselves.
    private mutating func addTypes(of metadata: ImageAddress) throws(NotPortable) {
        guard let box = CaptureBox(metadata: try metadata.resolve(count: 24, content: .data)) else { return }
        for index in 0..<box.captureCount {
            let name = box.captureName(index)
            guard case .value = name.storage else { continue }
            // What depends on generic parameters is in the bindings.
            if let type = name.resolve() {
                try add(type)
            } else if let named = NamedTypeParser.parse(name) {
                add(named)
            }
        }
    }

    private mutating func add(_ named: NamedType) {
        switch named {
        case .nominal(let descriptor, let arguments):
            addresses.append(UInt(bitPattern: descriptor))
            for argument in arguments { add(argument) }
        case .tuple(let elements):
            for element in elements { add(element.type) }
        case .parameter, .standard:
            break
        }
    }

    mutating func add(_ type: Any.Type) throws(NotPortable) {
        try add(TypeReference(type).node)
    }

    /// Adds the protocols by which a worker finds what a job runs.
    mutating func addJobs() {
        for type: Any.Type in [(any Job).self, (any VoidJob).self] {
            // Safe: the metadata of an existential type without a superclass has its protocol's descriptor
            // behind its kind, flags and count (`TargetExistentialTypeMetadata` in include/swift/ABI/Metadata.h).
            let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
            addresses.append(metadata.load(fromByteOffset: 16, as: UInt.self))
        }
    }

    private mutating func add(_ node: TypeReference.Node) throws(NotPortable) {
        switch node {
        case .nominal(let descriptor, let arguments):
            try add(descriptor)
            for argument in arguments { try add(argument) }
        case .tuple(_, let elements), .pack(let elements):
            for element in elements { try add(element) }
        case .existential(let protocols, _):
            for proto in protocols { try add(proto) }
        case .value:
            break
        }
    }

    private mutating func add(_ descriptor: DescriptorReference) throws(NotPortable) {
        addresses.append(UInt(bitPattern: try descriptor.resolve()))
    }
}
