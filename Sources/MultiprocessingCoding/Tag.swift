/// The first byte of a value.
///
/// # The format
///
/// Bytes travel between two processes that run the same executable, so numbers are in
/// native byte order and nothing is versioned. Every value says what it is and where it
/// ends; a container says so in its first bytes, so a reader steps over a value of any
/// size at once.
///
/// ```
/// 00...7F              an integer from 0 to 127
/// 80...BF              text of 0 to 63 bytes of UTF-8, which follow
/// C0 nothing           a value whose `encode(to:)` wrote nothing
/// C1 absent            an optional field that is not there (a keyed entry's value only)
/// C2 nil               nil
/// C3 some VALUE        a non-nil optional whose payload starts with C2 or C3 itself
/// C4 false, C5 true
/// C6 text COUNT BYTES  longer text
/// C7 numbers CODE COUNT BYTES
///                      a list of numbers as they lie in memory; CODE is one of D0...E3
/// C8 C9 CA keyed       SIZE ENTRIES, where an entry is KEY VALUE
/// CB run CODE COUNT BYTES
///                      inside a list: COUNT elements, laid out like numbers
/// CC CD CE list        SIZE VALUES COUNT
/// CF object COUNT NAME VALUE
///                      an instance of a subclass of the class that its place declares;
///                      NAME is COUNT bytes that name it (``ClassNaming``), and to whoever
///                      does not ask for a class, the value is VALUE
/// D0...D4              an unsigned integer of 1, 2, 4, 8, 16 bytes
/// D8...DC              a signed integer of 1, 2, 4, 8, 16 bytes
/// E1 E2 E3             a floating-point number of 2, 4, 8 bytes
/// F0...FF              an integer from -16 to -1
/// ```
///
/// COUNT is a variable-length integer, but SIZE (the number of bytes behind it, up to the
/// end of the container) and a list's own COUNT are 1, 4 or 8 bytes wide, which the tag
/// tells. A container is written with a 1-byte SIZE; if it turns out to need more, its
/// bytes are moved once. A list's COUNT stands at its end because it is not known before.
///
/// KEY is a variable-length integer:
///
/// ```
/// index << 1           a key in the table that travels ahead (``KeyTable``)
/// count << 2 | 1       `count` bytes of UTF-8 follow
/// 3                    a zigzag variable-length integer follows; the key is its decimal
/// ```
///
/// An optional field without a value is written as `absent` although it might be left
/// out: its reader then finds every key where it expects it and need not search.
enum Tag {
    static let shortText: UInt8 = 0x80
    static let nothing: UInt8 = 0xC0
    static let absent: UInt8 = 0xC1
    static let null: UInt8 = 0xC2
    static let some: UInt8 = 0xC3
    static let no: UInt8 = 0xC4
    static let yes: UInt8 = 0xC5
    static let text: UInt8 = 0xC6
    static let numbers: UInt8 = 0xC7
    static let keyed: UInt8 = 0xC8
    static let keyed32: UInt8 = 0xC9
    static let keyed64: UInt8 = 0xCA
    static let run: UInt8 = 0xCB
    static let list: UInt8 = 0xCC
    static let list32: UInt8 = 0xCD
    static let list64: UInt8 = 0xCE
    static let object: UInt8 = 0xCF
    static let unsigned8: UInt8 = 0xD0
    static let unsigned16: UInt8 = 0xD1
    static let unsigned32: UInt8 = 0xD2
    static let unsigned64: UInt8 = 0xD3
    static let unsigned128: UInt8 = 0xD4
    static let signed8: UInt8 = 0xD8
    static let signed16: UInt8 = 0xD9
    static let signed32: UInt8 = 0xDA
    static let signed64: UInt8 = 0xDB
    static let signed128: UInt8 = 0xDC
    static let float16: UInt8 = 0xE1
    static let float32: UInt8 = 0xE2
    static let float64: UInt8 = 0xE3
    static let negative: UInt8 = 0xF0

    /// The longest text whose length fits in the tag.
    static let longestShortText = 63

    /// Containers nest this deep and no deeper, in both directions.
    ///
    /// A value that codes through a single-value container is no level of its own. The limit keeps
    /// damaged bytes, and values without end, from taking any amount of memory. The stack has a limit
    /// besides (`mp_stack_limit`), because nobody knows how much of it a level takes: with a small type
    /// so many take half a MiB, and 1.25 MiB in a debug build, which not every thread has.
    static let deepestNesting = 512

    /// Whether the tag stands for a number of fixed width, whose size its low bits tell.
    @inline(__always)
    static func isNumber(_ tag: UInt8) -> Bool {
        switch tag {
        case unsigned8...unsigned128, signed8...signed128, float16...float64: true
        default: false
        }
    }

    /// The number of bytes of a number whose tag is `tag`.
    @inline(__always)
    static func numberSize(_ tag: UInt8) -> Int { 1 &<< Int(tag & 7) }

    /// The words an error uses for a value that starts with `tag`.
    static func describe(_ tag: UInt8) -> String {
        switch tag {
        case 0..<shortText, unsigned8...signed128, negative...: "an integer"
        case shortText..<nothing, text: "text"
        case nothing: "a value that encoded nothing"
        case absent: "an absent value"
        case null: "nil"
        case some: "an optional"
        case no, yes: "a Boolean"
        case numbers, run: "a list of numbers"
        case keyed...keyed64: "a keyed container"
        case list...list64: "an unkeyed container"
        case float16...float64: "a floating-point number"
        default: "an unknown value"
        }
    }
}

extension ByteBuffer {
    /// Appends an integer value in as few bytes as hold it.
    @inline(__always)
    func append(integer value: Int64) {
        let magnitude = UInt64(bitPattern: value)
        if magnitude < 0x80 {
            append(UInt8(truncatingIfNeeded: magnitude))
        } else if value >= 0 {
            append(unsigned: magnitude)
        } else if value >= -16 {
            append(UInt8(truncatingIfNeeded: value))
        } else {
            let (step, size) = Self.width(65 &- (~magnitude).leadingZeroBitCount)
            append(tag: Tag.signed8 &+ step, payload: magnitude, payloadSize: size)
        }
    }

    /// Appends an integer value in as few bytes as hold it.
    @inline(__always)
    func append(integer value: UInt64) {
        if value < 0x80 {
            append(UInt8(truncatingIfNeeded: value))
        } else {
            append(unsigned: value)
        }
    }

    func append(integer value: Int128) {
        if let value = Int64(exactly: value) {
            append(integer: value)
        } else {
            append(Tag.signed128)
            append(value)
        }
    }

    func append(integer value: UInt128) {
        if let value = UInt64(exactly: value) {
            append(integer: value)
        } else {
            append(Tag.unsigned128)
            append(value)
        }
    }

    /// Appends any number as it lies in memory behind its tag.
    @inline(__always)
    func append<T: BitwiseCopyable>(tag: UInt8, number: T) {
        append(tag)
        append(number)
    }

    /// Appends a text value.
    @inline(__always)
    func append(text value: String) {
        var value = value
        value.withUTF8 { utf8 in
            if utf8.count <= Tag.longestShortText {
                append(Tag.shortText | UInt8(truncatingIfNeeded: utf8.count))
            } else {
                append(Tag.text)
                append(varint: UInt64(utf8.count))
            }
            append(contentsOf: UnsafeRawBufferPointer(utf8))
        }
    }

    /// Appends numbers as they lie in memory, behind `Tag.numbers` or `Tag.run`.
    func append<Number: FixedNumber>(_ tag: UInt8, numbers: UnsafeBufferPointer<Number>) {
        append(tag)
        append(Number.tag)
        append(varint: UInt64(numbers.count))
        append(contentsOf: UnsafeRawBufferPointer(numbers))
    }

    @inline(__always)
    private func append(unsigned value: UInt64) {
        let (step, size) = Self.width(64 &- value.leadingZeroBitCount)
        append(tag: Tag.unsigned8 &+ step, payload: value, payloadSize: size)
    }

    /// The step above the 1-byte tag, and the bytes, that `bits` bits take.
    @inline(__always)
    private static func width(_ bits: Int) -> (step: UInt8, size: Int) {
        bits <= 8 ? (0, 1) : bits <= 16 ? (1, 2) : bits <= 32 ? (2, 4) : (3, 8)
    }
}
