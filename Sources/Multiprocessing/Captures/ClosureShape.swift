package import MultiprocessingRuntime

/// A closure's code and how to rebuild its context, in a form that another process understands.
///
/// The captured values travel separately, in the order in which the closure's box has them. Their types do
/// not travel: the box's description in the executable tells both ends what they are.
package struct ClosureShape: Hashable, Sendable {
    /// What a closure's context is.
    indirect enum Context: Hashable, Sendable {
        case none
        /// A box with captures.
        case box(metadata: ImageAddress, bindings: [Binding], captures: [Capture])
        /// The storage of an array of these elements, which is the whole context.
        case array(of: TypeReference)
        /// A reference to a distributed actor of this type, which is the whole context.
        case reference(to: TypeReference)
        /// The storage that all empty arrays share, which is the whole context.
        case emptyArray
    }

    /// One capture of a box.
    enum Capture: Hashable, Sendable {
        case value
        case function(ClosureShape)
    }

    /// A word of generic environment that precedes the captures.
    enum Binding: Hashable, Sendable {
        case type(TypeReference)
        /// The witness table of a type for a protocol.
        case conformance(of: TypeReference, to: DescriptorReference)
    }

    package let function: CodeReference
    let context: Context

    /// Whether no captured values belong to the closure.
    package var isEmpty: Bool {
        switch context {
        case .none, .emptyArray: true
        case .array, .reference: false
        case .box(_, _, let captures):
            captures.allSatisfy { capture in
                if case .function(let inner) = capture { inner.isEmpty } else { false }
            }
        }
    }
}

extension ClosureShape {
    /// Deeper nesting of functions is refused by the sender, and taken for damage by the receiver.
    static let depthLimit = 16

    private enum ContextTag: UInt8 {
        case nothing, box, array, emptyArray, reference
    }

    package func encode(into bytes: inout [UInt8]) {
        function.encode(into: &bytes)
        switch context {
        case .none:
            bytes.append(ContextTag.nothing.rawValue)
        case .emptyArray:
            bytes.append(ContextTag.emptyArray.rawValue)
        case .array(let element):
            bytes.append(ContextTag.array.rawValue)
            element.encode(into: &bytes)
        case .reference(let type):
            bytes.append(ContextTag.reference.rawValue)
            type.encode(into: &bytes)
        case .box(let metadata, let bindings, let captures):
            bytes.append(ContextTag.box.rawValue)
            metadata.encode(into: &bytes)
            bytes.append(number: UInt(bindings.count))
            for binding in bindings { binding.encode(into: &bytes) }
            bytes.append(number: UInt(captures.count))
            for capture in captures {
                switch capture {
                case .value:
                    bytes.append(0)
                case .function(let inner):
                    bytes.append(1)
                    inner.encode(into: &bytes)
                }
            }
        }
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        try self.init(decoding: &reader, depth: 0)
    }

    private init(decoding reader: inout ReferenceReader, depth: Int) throws(NotPortable) {
        guard depth < Self.depthLimit else { throw .damaged("a closure is nested too deeply") }
        function = try CodeReference(decoding: &reader)
        switch ContextTag(rawValue: try reader.readByte()) {
        case .nothing:
            context = .none
        case .emptyArray:
            context = .emptyArray
        case .array:
            context = .array(of: try TypeReference(decoding: &reader))
        case .reference:
            context = .reference(to: try TypeReference(decoding: &reader))
        case .box:
            let metadata = try ImageAddress(decoding: &reader)
            var bindings: [Binding] = []
            for _ in 0..<(try reader.readCount()) { bindings.append(try Binding(decoding: &reader)) }
            var captures: [Capture] = []
            for _ in 0..<(try reader.readCount()) {
                switch try reader.readByte() {
                case 0: captures.append(.value)
                case 1: captures.append(.function(try ClosureShape(decoding: &reader, depth: depth + 1)))
                default: throw .damaged("a capture is of an unknown kind")
                }
            }
            context = .box(metadata: metadata, bindings: bindings, captures: captures)
        case nil:
            throw .damaged("a closure is of an unknown kind")
        }
    }
}

extension ClosureShape.Binding {
    fileprivate func encode(into bytes: inout [UInt8]) {
        switch self {
        case .type(let type):
            bytes.append(0)
            type.encode(into: &bytes)
        case .conformance(let type, let proto):
            bytes.append(1)
            type.encode(into: &bytes)
            proto.encode(into: &bytes)
        }
    }

    fileprivate init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        switch try reader.readByte() {
        case 0:
            self = .type(try TypeReference(decoding: &reader))
        case 1:
            let type = try TypeReference(decoding: &reader)
            self = .conformance(of: type, to: try DescriptorReference(decoding: &reader))
        default:
            throw .damaged("a binding is of an unknown kind")
        }
    }
}
