import CMultiprocessing
import MultiprocessingRuntime
import Synchronization

/// Where each capture lies in a box: one after another, each aligned for its type.
struct CaptureLayout: Sendable {
    /// What one capture is.
    enum Element: Sendable {
        /// A value of this shape.
        case value(any ValueShape)
        /// A function: its code and its context.
        case function(isAsync: Bool)

        package var size: Int {
            switch self {
            case .value(let shape): shape.size
            case .function: MemoryLayout<(UInt, UInt)>.size
            }
        }

        package var alignment: Int {
            switch self {
            case .value(let shape): shape.alignment
            case .function: MemoryLayout<UInt>.alignment
            }
        }
    }

    let elements: [Element]
    private(set) var offsets: [Int] = []
    private(set) var size: Int
    private(set) var alignmentMask = MemoryLayout<UInt>.alignment - 1

    /// - Parameter start: Where the first capture may begin: after the header and the bindings.
    init(_ elements: [Element], from start: Int) {
        self.elements = elements
        size = start
        for element in elements {
            let mask = element.alignment - 1
            offsets.append((size + mask) & ~mask)
            size = offsets[offsets.count - 1] + element.size
            alignmentMask |= mask
        }
    }

    /// Whether the object at `context` can have been allocated for this layout.
    ///
    /// The allocator is asked how much it makes of a request of this size. It may have given a step more, where too
    /// little would have been left over for another allocation: in glibc 16 bytes.
    func fits(_ context: UnsafeRawPointer) -> Bool {
        let usable = mp_allocation_size(UnsafeMutableRawPointer(mutating: context))
        let sample = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignmentMask + 1)
        defer { sample.deallocate() }
        let expected = mp_allocation_size(sample)
        return usable >= size && usable <= expected + 16 && expected <= usable + 16
    }
}

// MARK: - Made from a box

extension CaptureLayout {
    /// What tells layouts apart: the box's metadata, and the types that its generic parameters stand for.
    private struct Key: Hashable {
        let metadata: UInt
        let types: [SyntheticGenericContext.Parameter: ObjectIdentifier]
    }

    // As many as the program's text has closures.
    private static let known = Mutex<[Key: Result<CaptureLayout, NotPortable>]>([:])

    /// The layout of the captures in `box`, or why they cannot be sent.
    static func of(_ box: CaptureBox, _ environment: GenericBindings) throws(NotPortable) -> CaptureLayout {
        let key = Key(
            metadata: UInt(bitPattern: box.metadata), types: environment.types.mapValues { ObjectIdentifier($0) })
        if let found = known.withLock({ $0[key] }) { return try found.get() }
        let made = Result { () throws(NotPortable) in
            let context = environment.types.isEmpty ? nil : SyntheticGenericContext(environment.types)
            var elements: [Element] = []
            for index in 0..<box.captureCount {
                elements.append(try element(box.captureName(index), context, environment))
            }
            return CaptureLayout(elements, from: box.bindingOffset + 8 * box.bindingCount)
        }
        known.withLock { $0[key] = made }
        return try made.get()
    }

    private static func element(
        _ name: MangledName,
        _ context: SyntheticGenericContext?,
        _ environment: GenericBindings
    ) throws(NotPortable) -> Element {
        switch name.storage {
        case .function(let isAsync): return .function(isAsync: isAsync)
        case .other(let what): throw NotPortable("it captures \(what)")
        case .value: break
        }
        do throws(ShapeRefusal) {
            if let type = context.map({ $0.resolve(name) }) ?? name.resolve() {
                return .value(try ShapeTable.shared.shape(of: type))
            }
            var parameters: [SyntheticGenericContext.Parameter: any ValueShape] = [:]
            for (parameter, type) in environment.types {
                parameters[parameter] = try? ShapeTable.shared.shape(of: type)
            }
            return .value(try NamedTypeShapes(parameters).shape(of: name))
        } catch {
            throw NotPortable(error.reason, typeName: error.typeName)
        }
    }
}
