internal import CMultiprocessing

extension BorrowedBytes {
    /// The integer at `head`, or nil if there is none or the type does not hold it.
    @inline(__always)
    func integer<I: FixedWidthInteger>(_ head: Head) -> I? {
        if head.tag < Tag.shortText { return I(truncatingIfNeeded: head.tag) }
        return wideInteger(head)
    }

    @inline(__always)
    private func wideInteger<I: FixedWidthInteger>(_ head: Head) -> I? {
        if head.tag >= Tag.negative { return I(exactly: Int8(bitPattern: head.tag)) }
        guard head.end <= count else { return nil }
        let place = base + head.payload
        switch head.tag {
        case Tag.unsigned8: return I(exactly: place.load(as: UInt8.self))
        case Tag.unsigned16: return I(exactly: place.loadUnaligned(as: UInt16.self))
        case Tag.unsigned32: return I(exactly: place.loadUnaligned(as: UInt32.self))
        case Tag.unsigned64: return I(exactly: place.loadUnaligned(as: UInt64.self))
        case Tag.unsigned128: return I(exactly: place.loadUnaligned(as: UInt128.self))
        case Tag.signed8: return I(exactly: place.load(as: Int8.self))
        case Tag.signed16: return I(exactly: place.loadUnaligned(as: Int16.self))
        case Tag.signed32: return I(exactly: place.loadUnaligned(as: Int32.self))
        case Tag.signed64: return I(exactly: place.loadUnaligned(as: Int64.self))
        case Tag.signed128: return I(exactly: place.loadUnaligned(as: Int128.self))
        default: return nil
        }
    }

    /// The number at `head` if the type holds it exactly, else nil.
    ///
    /// A number of the same type keeps every bit; a NaN of another type stays a NaN.
    @inline(__always)
    func float<F: FixedFloat>(_ head: Head) -> F? {
        guard head.end <= count else { return nil }
        if head.tag == F.tag { return (base + head.payload).loadUnaligned(as: F.self) }
        return otherFloat(head)
    }

    private func otherFloat<F: FixedFloat>(_ head: Head) -> F? {
        let place = base + head.payload
        let wide: Double
        switch head.tag {
        case Tag.float16: wide = Double(place.loadUnaligned(as: Float16.self))
        case Tag.float32: wide = Double(place.loadUnaligned(as: Float.self))
        case Tag.float64: wide = place.loadUnaligned(as: Double.self)
        default:
            let whole: Int128? = integer(head)
            return whole.flatMap { F(exactly: $0) }
        }
        return wide.isNaN ? F(wide) : F(exactly: wide)
    }

    /// Where the elements of a list end, and how many they are: no more than there are bytes.
    func list(_ head: Head) throws(CodingFailure) -> (limit: Int, count: Int) {
        let width =
            switch head.tag {
            case Tag.list: 1
            case Tag.list32: 4
            case Tag.list64: 8
            default: throw CodingFailure(.unknownTag(head.tag), offset: head.payload)
            }
        guard head.end <= count, head.end - head.payload >= width else {
            throw CodingFailure(.truncated, offset: head.payload)
        }
        let limit = head.end - width
        let place = base + limit
        let elements: UInt64 =
            switch width {
            case 1: UInt64(place.load(as: UInt8.self))
            case 4: UInt64(place.loadUnaligned(as: UInt32.self))
            default: place.loadUnaligned(as: UInt64.self)
            }
        guard elements <= UInt64(limit - head.payload) else {
            throw CodingFailure(.impossibleLength, offset: limit)
        }
        return (limit, Int(elements))
    }

    /// The text at `head`; nil if it is not UTF-8.
    @inline(__always)
    func text(_ head: Head) -> String? {
        guard head.end <= count else { return nil }
        return text(start: head.payload, count: head.end &- head.payload)
    }

    func text(start: Int, count: Int) -> String? {
        let utf8 = UnsafeBufferPointer(start: (base + start).assumingMemoryBound(to: UInt8.self), count: count)
        guard let text = try? UTF8Span(validating: utf8.span) else { return nil }
        return String(copying: text)
    }

    /// Whether the bytes at an offset are those of a text.
    func isText(_ text: inout String, start: Int, count: Int) -> Bool {
        text.withUTF8 { utf8 in
            guard utf8.count == count, let address = utf8.baseAddress else { return utf8.count == count }
            return mp_are_equal(address, base + start, count)
        }
    }

    /// The numbers at the head of a `numbers` or `run` value, whose size has been checked.
    func numbers(_ head: Head) -> (tag: UInt8, start: UnsafeRawPointer, count: Int)? {
        guard head.end <= count, let (numbers, start) = try? varint(at: head.payload + 1, limit: head.end) else {
            return nil
        }
        return (base.load(fromByteOffset: head.payload, as: UInt8.self), base + start, Int(numbers))
    }
}
