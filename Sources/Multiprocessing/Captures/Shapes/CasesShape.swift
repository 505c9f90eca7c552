import MultiprocessingCoding
import MultiprocessingRuntime

/// An enumeration whose metadata the optimizer left out, laid out as the compiler lays out every enumeration
/// that it can treat as a generic one.
///
/// Those are the rules of `swift_initEnumMetadataSinglePayload` and `…MultiPayload` in
/// stdlib/public/runtime/Enum.cpp of the Swift project. A payload stands at the start. With one
/// payload, the other cases are its patterns that are no value, and when these do not suffice, a
/// tag behind it. With several, a tag follows the largest, and the cases without payload share the tags behind
/// the payloads' own, told apart by what stands in the payload's place.
///
/// The compiler may put the tag of several payloads into bits that all of them leave free. It says so in a
/// record, and such enumerations are refused.
struct CasesShape: ValueShape {
    let name: String
    let size: Int
    let alignment: Int
    let spareCount: Int
    private let payloads: [any ValueShape]
    private let emptyCount: Int
    private let payloadSize: Int
    private let tagSize: Int
    /// How many cases without payload are patterns of the only payload.
    private let inPayload: Int

    init(name: String, payloads: [any ValueShape], emptyCount: Int) {
        self.name = name
        self.payloads = payloads
        self.emptyCount = emptyCount
        payloadSize = payloads.map(\.size).max() ?? 0
        alignment = payloads.map(\.alignment).max() ?? 1
        let free = payloads.count == 1 ? payloads[0].spareCount : 0
        inPayload = min(free, emptyCount)
        let rest = emptyCount - inPayload
        let perTag = Self.casesPerTag(payloadSize)
        let tags = payloads.count + (rest + perTag - 1) / perTag
        tagSize = tags <= 1 ? 0 : tags < 256 ? 1 : tags < 65536 ? 2 : 4
        size = payloadSize + tagSize
        if payloads.count == 1 {
            spareCount = free - inPayload
        } else {
            spareCount = tagSize == 0 ? 0 : tagSize == 4 ? Int(Int32.max) : 1 << (8 * tagSize) - tags
        }
    }

    /// How many cases a tag can stand for, told apart by at most four bytes in the payload's place.
    private static func casesPerTag(_ payloadSize: Int) -> Int {
        payloadSize >= 4 ? 1 << 32 : 1 << (8 * payloadSize)
    }

    // MARK: Patterns that are no value

    func spare(at place: UnsafeRawPointer) -> Int? {
        if payloads.count == 1 {
            guard let index = payloads[0].spare(at: place), index >= inPayload else { return nil }
            return index - inPayload
        }
        let index = ~tag(at: place) & tagMask
        return index < spareCount ? index : nil
    }

    func storeSpare(_ index: Int, at place: UnsafeMutableRawPointer) {
        if payloads.count == 1 {
            payloads[0].storeSpare(index + inPayload, at: place)
        } else {
            storeTag(~index & tagMask, at: place)
        }
    }

    // MARK: Cases

    /// The number of the case: those with payloads come first.
    private func number(at place: UnsafeRawPointer) -> Int {
        if payloads.count == 1, inPayload > 0, let index = payloads[0].spare(at: place), index < inPayload {
            return 1 + index
        }
        let tag = tag(at: place)
        guard tag >= payloads.count else { return tag }
        let bytes = min(payloadSize, 4)
        let within = (0..<bytes).reduce(0) { $0 | Int(place.load(fromByteOffset: $1, as: UInt8.self)) << (8 * $1) }
        return payloads.count + inPayload + (tag - payloads.count) * Self.casesPerTag(payloadSize) + within
    }

    /// Writes the case without payload that is `index` among those.
    private func storeEmpty(_ index: Int, at place: UnsafeMutableRawPointer) {
        if index < inPayload {
            if tagSize > 0 { storeTag(0, at: place) }
            payloads[0].storeSpare(index, at: place)
            return
        }
        let (more, within) = (index - inPayload).quotientAndRemainder(dividingBy: Self.casesPerTag(payloadSize))
        for byte in 0..<payloadSize {
            place.storeBytes(
                of: byte < 4 ? UInt8(truncatingIfNeeded: within >> (8 * byte)) : 0, toByteOffset: byte, as: UInt8.self)
        }
        storeTag(payloads.count + more, at: place)
    }

    private var tagMask: Int { 1 << (8 * tagSize) - 1 }

    private func tag(at place: UnsafeRawPointer) -> Int {
        (0..<tagSize).reduce(0) { tag, byte in
            tag | Int(place.load(fromByteOffset: payloadSize + byte, as: UInt8.self)) << (8 * byte)
        }
    }

    private func storeTag(_ tag: Int, at place: UnsafeMutableRawPointer) {
        for byte in 0..<tagSize {
            place.storeBytes(
                of: UInt8(truncatingIfNeeded: tag >> (8 * byte)), toByteOffset: payloadSize + byte, as: UInt8.self)
        }
    }

    // MARK: Values

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        let number = number(at: place)
        guard number < payloads.count + emptyCount else {
            throw PoolError.closureNotPortable(NotPortable("a captured \(name) is not laid out as expected"))
        }
        message.bytes.append(UInt32(number))
        if number < payloads.count { try payloads[number].encode(at: place, into: &message) }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        let number = Int(try incoming.reader.readCase(of: payloads.count + emptyCount))
        guard number < payloads.count else { return storeEmpty(number - payloads.count, at: place) }
        try payloads[number].decode(to: place, from: &incoming)
        storeTag(number, at: place)
    }

    func destroy(at place: UnsafeMutableRawPointer) {
        let number = number(at: place)
        if number < payloads.count { payloads[number].destroy(at: place) }
    }
}
