import CMultiprocessing
import Distributed
package import MultiprocessingRuntime

/// A closure of this process, taken apart so that it can be sent.
///
/// The values that travel are those of the moment when they are read. That holds also for a mutable
/// variable that is a closure's only capture, which cannot be told from a value; among other
/// captures such a variable is recognized and refused.
package struct CapturedClosure: Sendable {
    /// What to send ahead of the captured values.
    package let reference: ClosureShape
    private let words: FunctionWords

    /// Takes a function apart, or says why it cannot be sent.
    ///
    /// Whether the captured types can be encoded is not examined here.
    package init(_ words: FunctionWords) throws(NotPortable) {
        if words.context != nil { try CaptureProof.require() }
        try self.init(unproved: words)
    }

    /// Takes a function apart on the assumption that boxes are laid out as this library believes.
    package init(unproved words: FunctionWords) throws(NotPortable) {
        reference = try Self.read(words, depth: 0)
        self.words = words
    }

    /// Calls `body` with each captured value's shape and place, in the order in which they travel.
    ///
    /// The values may be read while `body` runs.
    package func forEachCapture(_ body: (any ValueShape, UnsafeRawPointer) throws -> Void) throws {
        try withExtendedLifetime(words) {
            try Self.forEachCapture(of: reference, context: words.context, body)
        }
    }

    private static func forEachCapture(
        of reference: ClosureShape,
        context: UnsafeRawPointer?,
        _ body: (any ValueShape, UnsafeRawPointer) throws -> Void
    ) throws {
        switch reference.context {
        case .none, .emptyArray:
            break
        case .array(let element):
            // An array is one reference to its storage.
            try withUnsafePointer(to: context) { try body(reference.arrayShape(of: element), $0) }
        case .reference(let type):
            try withUnsafePointer(to: context) { try body(reference.shape(of: type), $0) }
        case .box(_, let bindings, let captures):
            guard let context, let box = CaptureBox(metadata: context.load(as: UnsafeRawPointer.self)) else { return }
            let layout = try CaptureLayout.of(box, GenericBindings(of: box, bindings))
            for (index, capture) in captures.enumerated() {
                let place = context + layout.offsets[index]
                switch (capture, layout.elements[index]) {
                case (.value, .value(let shape)):
                    try body(shape, place)
                case (.function(let inner), _):
                    let context = place.load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
                    try forEachCapture(of: inner, context: context, body)
                case (.value, .function):
                    break
                }
            }
        }
    }

    private static func read(_ words: FunctionWords, depth: Int) throws(NotPortable) -> ClosureShape {
        guard depth < ClosureShape.depthLimit else { throw NotPortable("it wraps functions too many times over") }
        let function = try CodeReference(codeOf: words)
        guard let context = words.context else { return ClosureShape(function: function, context: .none) }
        let metadata = context.load(as: UnsafeRawPointer.self)
        guard let box = CaptureBox(metadata: metadata) else {
            return ClosureShape(function: function, context: try read(lone: context, metadata: metadata))
        }

        let environment = try GenericBindings(of: box, at: context)
        let layout = try CaptureLayout.of(box, environment)
        // An object that is a constant of the executable is in no allocation.
        guard ImageTable.isMapped(context, count: layout.size, content: .data) || layout.fits(context) else {
            throw NotPortable("the layout of its captures is not the expected one")
        }

        var captures: [ClosureShape.Capture] = []
        for (element, offset) in zip(layout.elements, layout.offsets) {
            switch element {
            case .value:
                captures.append(.value)
            case .function(let isAsync):
                let inner = FunctionWords(
                    code: context.load(fromByteOffset: offset, as: UInt.self),
                    retaining: context.load(fromByteOffset: offset + 8, as: UnsafeRawPointer?.self),
                    isAsync: isAsync
                )
                captures.append(.function(try read(inner, depth: depth + 1)))
            }
        }
        return ClosureShape(
            function: function,
            context: .box(
                metadata: try ImageAddress(metadata, count: 24, content: .data),
                bindings: environment.bindings,
                captures: captures
            )
        )
    }

    /// Reads a context that is a captured object itself.
    ///
    /// The compiler makes no box when the only capture is one counted reference, so nothing
    /// records the capture's static type. An array is such a reference, to its storage, and the
    /// storage knows its elements. Whatever static type the capture has (an array, a contiguous
    /// array, a structure around one), its one stored word refers to this storage, so a new
    /// storage with equal elements is an equal value of that type. An object of a user's class has
    /// identity, and is refused.
    private static func read(
        lone context: UnsafeRawPointer,
        metadata: UnsafeRawPointer
    ) throws(NotPortable) -> ClosureShape.Context {
        if context == EmptyArrayStorage.address { return .emptyArray }
        let what: String
        switch metadata.load(as: UInt.self) {
        case 0:
            // Metadata of a class is a metatype without a static type.
            let type = unsafeBitCast(metadata, to: Any.Type.self)
            if let element = ArrayStorage.element(of: type) {
                // The storage of objects of any class is one for all.
                guard element != AnyObject.self else {
                    what = "an array of objects, or a structure with nothing in it but that"
                    break
                }
                do {
                    _ = try ShapeTable.shared.shape(of: ValueWitness(element).array)
                } catch {
                    throw NotPortable(error.reason)
                }
                return .array(of: try TypeReference(element))
            }
            // The same word is a reference to the actor, whatever stands for it in the other process.
            if type is any DistributedActor.Type, type is any Codable.Type {
                return .reference(to: try TypeReference(type))
            }
            what =
                type is AnyKeyPath.Type
                ? "a key path; write the closure out, as in { $0.name }"
                : "self, or another reference, which is an instance of \(readableName(of: type)), a class or an actor "
                    + "(or a structure with nothing in it but that, which cannot be told from it)"
                    + captureAdvice(for: type)
        case CaptureBox.kind, 0x500:
            what =
                "a mutable variable, or values of a layout that is not the expected one, as code has that was compiled "
                + "without reflection metadata"
        case 0x501:
            what =
                "an error of the type any Error, of which a worker process cannot know the type inside; "
                + "capture a value of that type itself"
        default:
            what = "an object that is not a Swift object"
        }
        throw NotPortable("it captures \(what)")
    }
}

extension ClosureShape {
    /// The shape of an array of these elements, which is a closure's only capture.
    func arrayShape(of element: TypeReference) throws(NotPortable) -> any ValueShape {
        try shape(ValueWitness(try element.resolve()).array)
    }

    /// The shape of a reference to an actor of this type, which is a closure's only capture.
    func shape(of actor: TypeReference) throws(NotPortable) -> any ValueShape {
        try shape(try actor.resolve())
    }

    private func shape(_ type: Any.Type) throws(NotPortable) -> any ValueShape {
        do {
            return try ShapeTable.shared.shape(of: type)
        } catch {
            throw NotPortable(error.reason)
        }
    }
}
