/// A mangled type name made at run time, in which nominal types are symbolic references.
///
/// docs/ABI/Mangling.rst: the byte 0x02 and a 32-bit relative offset refer to a context
/// descriptor through a pointer at that offset. The pointers stand in the same allocation as the
/// text, so the offset always reaches, wherever the descriptor's image is loaded.
struct SymbolicName {
    private enum Piece {
        case text([UInt8])
        case descriptor(UnsafeRawPointer)
    }

    private var pieces: [Piece] = []

    /// Appends the mangled form of `node`.
    mutating func append(_ node: TypeReference.Node) throws(NotPortable) {
        switch node {
        case .nominal(let descriptor, let arguments):
            pieces.append(.descriptor(try descriptor.resolve()))
            // A symbolic reference takes the arguments of all levels in one list
            // (`demangleBoundGenericArgs` in lib/Demangling/Demangler.cpp).
            if !arguments.isEmpty {
                append("y")
                for argument in arguments { try append(argument) }
                append("G")
            }
        case .tuple(let labels, let elements):
            try appendList(elements, labels: labels)
            append("t")
        case .pack(let elements):
            try appendList(elements, labels: [])
            append("QP")
        case .value(let value):
            // INDEX ::= '_' for zero, and NATURAL '_' for one more than NATURAL.
            let magnitude = value.magnitude
            append((value < 0 ? "$n" : "$") + (magnitude == 0 ? "_" : "\(magnitude - 1)_"))
        case .existential(let protocols, let isClassBound):
            if protocols.isEmpty { append("y") }
            for (index, descriptor) in protocols.enumerated() {
                pieces.append(.descriptor(try descriptor.resolve()))
                if index == 0 { append("_") }
            }
            append(isClassBound ? "Xl" : "p")
        }
    }

    private mutating func appendList(
        _ nodes: [TypeReference.Node],
        labels: [String]
    ) throws(NotPortable) {
        if nodes.isEmpty { append("y") }
        for (index, node) in nodes.enumerated() {
            try append(node)
            if index < labels.count, !labels[index].isEmpty {
                append("\(labels[index].utf8.count)\(labels[index])")
            }
            if index == 0 { append("_") }
        }
    }

    private mutating func append(_ text: String) {
        pieces.append(.text(Array(text.utf8)))
    }

    /// Has the runtime find or make the type of this name.
    func resolve() -> (Any.Type)? {
        var slots: [UnsafeRawPointer] = []
        var text: [UInt8] = []
        var references: [Int] = []
        for piece in pieces {
            switch piece {
            case .text(let bytes):
                text += bytes
            case .descriptor(let address):
                references.append(text.count)
                slots.append(address)
                text += [2, 0, 0, 0, 0]
            }
        }
        let slotsSize = slots.count * MemoryLayout<UnsafeRawPointer>.stride
        return withUnsafeTemporaryAllocation(byteCount: slotsSize + text.count + 1, alignment: 8) { buffer in
            buffer[slotsSize + text.count] = 0
            buffer.baseAddress!.advanced(by: slotsSize).copyMemory(from: text, byteCount: text.count)
            for (index, position) in references.enumerated() {
                let slot = index * MemoryLayout<UnsafeRawPointer>.stride
                let field = slotsSize + position + 1
                buffer.storeBytes(of: slots[index], toByteOffset: slot, as: UnsafeRawPointer.self)
                buffer.storeBytes(of: Int32(slot - field), toByteOffset: field, as: Int32.self)
            }
            return MangledName(
                UnsafeRawBufferPointer(buffer)[slotsSize..<slotsSize + text.count]
            ).resolve()
        }
    }
}
