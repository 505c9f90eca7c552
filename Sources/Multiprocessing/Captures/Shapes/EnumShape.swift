import MultiprocessingCoding
import MultiprocessingRuntime

/// An enumeration whose metadata exists: its witnesses tell the cases apart.
struct EnumShape: TypedShape {
    let type: Any.Type
    /// In the order of the descriptor; `nil` for a case without a payload.
    let cases: [(any ValueShape)?]

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        let witness = ValueWitness(type)
        let index = witness.enumCase(at: place)
        message.bytes.append(UInt32(index))
        guard let payload = cases[index] else { return }
        // The witness writes where the tag was, so a copy of the bits is projected. Nothing in it is owned twice:
        // the copy is never destroyed.
        try withUnsafeTemporaryAllocation(byteCount: witness.size, alignment: witness.alignment) { copy in
            copy.copyMemory(from: UnsafeRawBufferPointer(start: place, count: witness.size))
            guard let start = copy.baseAddress else { return }
            witness.projectPayload(at: start)
            try payload.encode(at: start, into: &message)
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        let index = Int(try incoming.reader.readCase(of: cases.count))
        try cases[index]?.decode(to: place, from: &incoming)
        ValueWitness(type).injectCase(index, at: place)
    }
}

extension ByteReader {
    /// Reads the number of one of `count` cases.
    mutating func readCase(of count: Int) throws -> UInt32 {
        let start = offset
        let index: UInt32 = try read()
        guard index < count else {
            throw CodingFailure(.unknownTag(UInt8(truncatingIfNeeded: index)), offset: start)
        }
        return index
    }
}
