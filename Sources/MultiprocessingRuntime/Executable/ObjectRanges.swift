/// Where the constants and initialized variables of an executable begin and end, as far as symbols say.
struct ObjectRanges: Sendable {
    /// By their starts.
    private let objects: [Range<UInt>]
    private let starts: Set<UInt>
    private let sections: [ExecutableFile.Section]
    /// Pointers to asynchronous functions: the distance to the code, and the size of what it needs, which is none.
    private let asyncPointers: Set<UInt>

    /// What the loader, the debugger and the runtime read from end to end: to refer to it leads to nothing.
    private static let indexes: Set<String> = [
        ".dynsym", ".dynstr", ".hash", ".gnu.hash", ".gnu.version", ".gnu.version_r", ".gnu.version_d", ".interp",
        ".dynamic", ".got.plt", ".rela.dyn", ".rela.plt", ".relr.dyn", ".eh_frame", ".eh_frame_hdr",
        ".gcc_except_table", ".init_array", ".fini_array", ".preinit_array", ".swift_modhash",
        "swift5_protocols", "swift5_protocol_conformances", "swift5_type_metadata", "swift5_type_metadata_2",
        "swift5_accessible_functions", "swift5_replace", "swift5_replac2", "swift5_reflstr", "swift5_entry",
        "swift5_tests", "swift5_runtime_attributes", "swift5_assocty", "swift5_builtin", "swift5_capture",
        "swift5_mpenum",
    ]

    init(_ file: ExecutableFile, symbols: SymbolTable?) {
        sections = file.sections.filter { $0.kind == .data && !Self.indexes.contains($0.name) }
        var ranges: [Range<UInt>] = []
        var starts: Set<UInt> = []
        var asyncPointers: Set<UInt> = []
        symbols?.forEach(.object) { entry in
            guard !entry.isZeroed else { return }
            starts.insert(entry.address)
            // docs/ABI/Mangling.rst: "Tu".
            if entry.nameEnds(with: "Tu"), entry.size == 8, entry.nameBegins(with: "$s") || entry.name == "async_MainTu"
            {
                asyncPointers.insert(entry.address)
            }
            if entry.size > 0 { ranges.append(entry.address..<entry.address &+ entry.size) }
        }
        ranges.sort { ($0.lowerBound, $1.upperBound) < ($1.lowerBound, $0.upperBound) }
        var objects: [Range<UInt>] = []
        objects.reserveCapacity(ranges.count)
        for range in ranges {
            // The second name of a type's metadata begins within the first, and with the size of the whole.
            if let last = objects.last, range.lowerBound < last.upperBound { continue }
            objects.append(range)
        }
        self.objects = objects
        self.starts = starts
        self.asyncPointers = asyncPointers
    }

    /// The constant that contains `address`, or everything between the known ones around it.
    func object(containing address: UInt) -> Range<UInt>? {
        let index = sections.firstIndex(above: address) { $0.addresses.lowerBound } - 1
        guard index >= 0, sections[index].addresses.contains(address) else { return nil }
        let section = sections[index]
        // The global offset table has one pointer to one thing after the other.
        if section.name == ".got" {
            let start = address & ~7
            return start..<start &+ 8
        }
        let next = objects.firstIndex(above: address) { $0.lowerBound }
        var start = section.addresses.lowerBound
        if next > 0 {
            if objects[next - 1].contains(address) { return objects[next - 1] }
            start = max(start, objects[next - 1].upperBound)
        }
        let end = section.addresses.upperBound
        return start..<(next < objects.count ? min(objects[next].lowerBound, end) : end)
    }

    /// Whether a constant can begin at `address`: one does, or none is known there.
    func isStart(_ address: UInt) -> Bool {
        if starts.contains(address) { return true }
        let next = objects.firstIndex(above: address) { $0.lowerBound }
        if next > 0, objects[next - 1].contains(address) { return false }
        return object(containing: address) != nil
    }

    /// Calls `body` with each number in a constant that can be the distance to what it refers to, and its place.
    ///
    /// What holds pointers holds no distances, and is in a section that the dynamic linker writes to.
    func forEachOffset(in object: Range<UInt>, _ bytes: UnsafeRawBufferPointer, _ body: (Int, Int32) -> Void) {
        func offset(at place: Int) {
            let value = bytes.number(at: place, as: Int32.self)
            if value != 0 { body(place, value) }
        }
        if asyncPointers.contains(object.lowerBound), bytes.count >= 4 { return offset(at: 0) }
        switch sections.first(where: { $0.addresses.contains(object.lowerBound) })?.name {
        case ".data.rel.ro", ".got":
            break
        case "swift5_typeref":
            // docs/ABI/Mangling.rst: a byte below 32 says what the four bytes behind it, or the eight, refer to.
            var place = 0
            while place < bytes.count {
                switch bytes[place] {
                case 0x01...0x17:
                    offset(at: place + 1)
                    place += 5
                case 0x18...0x1F:
                    place += 9
                default:
                    place += 1
                }
            }
        case "swift5_fieldmd":
            // `FieldDescriptor` in include/swift/RemoteInspection/Records.h: the type, the superclass, the kind, the
            // size of a field's record, how many there are; and each field's flags, type and name.
            var place = 0
            while place + 16 <= bytes.count {
                offset(at: place)
                offset(at: place + 4)
                let count = Int(bytes.number(at: place + 12, as: UInt32.self))
                place += 16
                for _ in 0..<min(count, (bytes.count - place) / 12) {
                    offset(at: place + 4)
                    place += 12
                }
            }
        case ".rodata" where isGap(object):
            // Text and numbers; whatever refers to something has a symbol here.
            break
        default:
            for place in stride(from: 0, to: bytes.count - 3, by: 4) { offset(at: place) }
        }
    }

    /// Whether the constants around `object` have symbols, and it has none.
    private func isGap(_ object: Range<UInt>) -> Bool {
        !objects.isEmpty && !starts.contains(object.lowerBound)
    }
}
