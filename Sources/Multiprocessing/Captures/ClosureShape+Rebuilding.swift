import CMultiprocessing
package import MultiprocessingRuntime

extension ClosureShape {
    /// Puts the closure together in this process.
    ///
    /// - Parameter initialize: Initializes the memory for one captured value; called once for each
    ///   captured value, in the order in which they travel. If it throws, what was built so far is destroyed.
    package func rebuild(
        _ initialize: (any ValueShape, UnsafeMutableRawPointer) throws -> Void
    ) throws -> FunctionWords {
        if context != .none { try CaptureProof.require() }
        return try rebuildUnproved(initialize)
    }

    /// Puts the closure together on the assumption that boxes are laid out as this library believes.
    func rebuildUnproved(
        _ initialize: (any ValueShape, UnsafeMutableRawPointer) throws -> Void
    ) throws -> FunctionWords {
        switch context {
        case .none:
            return try function.resolve(context: nil)
        case .emptyArray:
            return try function.resolve(context: EmptyArrayStorage.address)
        case .array(let element):
            return try rebuild(around: try arrayShape(of: element), initialize)
        case .reference(let type):
            return try rebuild(around: try shape(of: type), initialize)
        case .box(let metadata, let bindings, let captures):
            // Everything that can fail without the captured values comes before the allocation.
            let box = try checkedBox(metadata, bindings: bindings, captures: captures)
            let words = try GenericBindings.words(of: bindings)
            let layout = try CaptureLayout.of(box, GenericBindings(of: box, bindings))
            _ = try function.resolve(context: nil)

            guard let object = mp_swift_allocate(box.metadata, layout.size, layout.alignmentMask) else {
                throw NotPortable("there is no memory for the captures of a closure")
            }
            for (index, word) in words.enumerated() {
                object.storeBytes(of: word, toByteOffset: box.bindingOffset + 8 * index, as: UnsafeRawPointer.self)
            }
            var initialized = 0
            do {
                for (index, capture) in captures.enumerated() {
                    let place = object + layout.offsets[index]
                    switch (capture, layout.elements[index]) {
                    case (.function(let inner), _):
                        let words = try inner.rebuildUnproved(initialize)
                        place.initializeMemory(as: FunctionWords.Stored.self, to: words.stored)
                    case (.value, .value(let shape)):
                        try initialize(shape, place)
                    case (.value, .function):
                        throw NotPortable.damaged("a capture is of the wrong kind")
                    }
                    initialized += 1
                }
            } catch {
                for index in 0..<initialized {
                    layout.elements[index].destroy(at: object + layout.offsets[index])
                }
                mp_swift_deallocate_uninitialized(object, layout.size, layout.alignmentMask)
                throw error
            }
            // The words hold a reference of their own.
            defer { Unmanaged<AnyObject>.fromOpaque(object).release() }
            return try function.resolve(context: object)
        }
    }

    /// Puts a closure together whose context is the one counted reference that it captures.
    private func rebuild(
        around shape: any ValueShape,
        _ initialize: (any ValueShape, UnsafeMutableRawPointer) throws -> Void
    ) throws -> FunctionWords {
        try withUnsafeTemporaryAllocation(of: UnsafeRawPointer.self, capacity: 1) { word in
            guard let place = word.baseAddress else { throw NotPortable.damaged("a capture has no place") }
            try initialize(shape, place)
            defer { shape.destroy(at: place) }
            return try function.resolve(context: place.pointee)
        }
    }

    /// Checks that the executable's own description of the box agrees with what was received.
    private func checkedBox(
        _ address: ImageAddress,
        bindings: [Binding],
        captures: [Capture]
    ) throws(NotPortable) -> CaptureBox {
        guard let box = CaptureBox(metadata: try address.resolve(count: 24, content: .data)),
            box.captureCount == captures.count, box.bindingCount == bindings.count
        else { throw .damaged("an address holds no description of captures") }
        for (index, capture) in captures.enumerated() {
            switch (capture, box.captureName(index).storage) {
            case (.value, .value): break
            case (.function(let inner), .function(let isAsync)) where inner.function.isAsync == isAsync: break
            default: throw .damaged("a capture is of another kind than its closure expects")
            }
        }
        return box
    }
}

extension CaptureLayout.Element {
    fileprivate func destroy(at place: UnsafeMutableRawPointer) {
        switch self {
        case .value(let shape):
            shape.destroy(at: place)
        case .function:
            place.assumingMemoryBound(to: FunctionWords.Stored.self).deinitialize(count: 1)
        }
    }
}
