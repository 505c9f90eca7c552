/// What the executable tells the runtime of its types, protocols and conformances.
struct RuntimeRecords: Sendable {
    /// Conformances of the libraries' types to the libraries' protocols, which the runtime finds at any time.
    private(set) var unconditional: [UInt] = []
    /// The other conformances, and subclasses, by the constant whose being reached makes them matter.
    private var conformances: [UInt: [UInt]] = [:]
    /// Where in a record or a descriptor flags, counts and sizes are, which are no distance.
    private var numbers: [UInt: [Int]] = [:]
    private var records: Set<UInt> = []

    /// - Parameter object: The start of the constant that contains an address.
    init(_ file: ExecutableFile, pointers: PointerTable, object: (UInt) -> UInt?) {
        func entries(of name: String) -> [UInt] {
            guard let section = file.section(named: name)?.addresses else { return [] }
            return stride(from: section.lowerBound, to: section.upperBound &- 3, by: 4).map { file.relative(at: $0) }
        }
        for name in ["swift5_type_metadata", "swift5_protocols"] {
            // The runtime keeps flags in the lowest bits.
            for descriptor in entries(of: name) { numbers[descriptor & ~3] = [0] }
        }
        for entry in entries(of: "swift5_type_metadata") {
            let descriptor = entry & ~3
            if let parent = Self.superclass(of: descriptor, in: file, pointers: pointers).flatMap(object) {
                conformances[parent, default: []].append(descriptor)
            }
        }
        for record in entries(of: "swift5_protocol_conformances") {
            // `TargetProtocolConformanceDescriptor` in include/swift/ABI/Metadata.h: the protocol, the
            // type, the witness table, flags that say how the type is named.
            records.insert(record)
            numbers[record] = Self.numbers(inConformance: record, of: file)
            let kind = file.bytes(at: record..<record &+ 16).number(at: 12, as: UInt32.self) >> 3 & 7
            let named = file.relative(at: record &+ 4)
            let type = kind == 0 ? named : kind == 1 ? pointers[named] : nil
            let proto = file.relative(at: record)
            let known = proto & 1 == 0 ? proto : pointers[proto & ~1]
            // A value of the executable's own type cannot be without the type's being reached; a
            // library's type is everywhere, but is asked for the executable's own protocol only by who knows that.
            if let key = (type ?? known).flatMap(object) {
                conformances[key, default: []].append(record)
            } else {
                unconditional.append(record)
            }
        }
    }

    /// Where in a conformance its flags are, and the count and the sizes behind them.
    private static func numbers(inConformance record: UInt, of file: ExecutableFile) -> [Int] {
        let fields = file.bytes(at: record..<record &+ 20)
        let flags = fields.number(at: 12, as: UInt32.self)
        // Bit 16: a count of witnesses comes next, with two distances each. Bit 17: behind them is a generic witness
        // table, which begins with two sizes of 16 bits. Bits 6 to 15 put other things between.
        guard fields.count == 20, flags >> 16 & 1 == 1, flags >> 6 & 0x3FF == 0 else { return [12] }
        let count = Int(fields.number(at: 16, as: UInt32.self))
        guard flags >> 17 & 1 == 1, count < 1 << 16 else { return [12, 16] }
        return [12, 16, 20 + 8 * count]
    }

    /// The descriptor of a class's superclass, if `descriptor` is a class's and has one.
    ///
    /// A value of a class can be of a subclass of it, whose methods run then.
    private static func superclass(of descriptor: UInt, in file: ExecutableFile, pointers: PointerTable) -> UInt? {
        // `TargetClassDescriptor` in include/swift/ABI/Metadata.h: the kind is in the lowest bits of the flags, and
        // the sixth field is the distance to the superclass's mangled name.
        let fields = file.bytes(at: descriptor..<descriptor &+ 24)
        guard fields.count == 24, fields.number(at: 0, as: UInt32.self) & 0x1F == 16,
            fields.number(at: 20, as: Int32.self) != 0
        else { return nil }
        let name = file.relative(at: descriptor &+ 20)
        // A name begins with the distance to the descriptor, or to where the loader puts its address.
        switch file.bytes(at: name..<name &+ 5).number(at: 0, as: UInt8.self) {
        case 1: return file.relative(at: name &+ 1)
        case 2: return pointers[file.relative(at: name &+ 1)]
        default: return nil
        }
    }

    /// The conformances, and the subclasses, that come with what the constant at `start` is, or contains.
    func conformances(ofObjectAt start: UInt) -> [UInt] {
        conformances[start] ?? []
    }

    /// Whether a number in `object`, at `place`, can be the distance to `target`, in the same section or another.
    ///
    /// Constants are full of small numbers, each the distance to a neighbor. But of what lies close by, only
    /// a conformance's protocol matters: what else a constant refers to there, its surroundings and its name,
    /// leads on to nothing.
    func mayRefer(from object: Range<UInt>, at place: Int, to target: UInt, inSameSection: Bool) -> Bool {
        if numbers[object.lowerBound]?.contains(place) == true { return false }
        guard inSameSection, !records.contains(object.lowerBound) else { return true }
        let (behind, before) = (target &- object.upperBound, object.lowerBound &- target)
        return !object.contains(target) && behind > Self.neighborhood && before > Self.neighborhood
    }

    /// Flags, counts and sizes are less than this.
    private static let neighborhood: UInt = 512
}
