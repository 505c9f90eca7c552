/// The pointers in an executable's data that lead to its own code or data.
///
/// The dynamic linker writes them when it loads the file, after its relocations.
struct PointerTable: Sendable {
    struct Pointer: Sendable {
        let place: UInt
        let target: UInt
    }

    /// By place.
    private let pointers: [Pointer]

    /// - Parameter symbols: The file's dynamic symbols.
    init(_ file: ExecutableFile) {
        let symbols = file.section(named: ".dynsym").map { file.bytes(at: $0.addresses) }
        var pointers: [Pointer] = []
        for range in file.relocations {
            // Elf64_Rela: place, kind and symbol, addend.
            for entry in stride(from: range.lowerBound, to: range.upperBound - 23, by: 24) {
                let place = UInt(file.bytes.number(at: entry, as: UInt64.self))
                let addend = UInt(bitPattern: Int(file.bytes.number(at: entry + 16, as: Int64.self)))
                let symbol = Int(file.bytes.number(at: entry + 12, as: UInt32.self)) * 24
                switch file.bytes.number(at: entry + 8, as: UInt32.self) {
                case 8, 37:
                    pointers.append(Pointer(place: place, target: addend))
                case 1, 6, 7:
                    // The address of a symbol, which may be the executable's own.
                    guard let symbols, symbols.number(at: symbol + 6, as: UInt16.self) != 0 else { continue }
                    let value = UInt(symbols.number(at: symbol + 8, as: UInt64.self))
                    pointers.append(Pointer(place: place, target: value &+ addend))
                default:
                    continue
                }
            }
        }
        // Linkers sort most of them.
        self.pointers = pointers.sorted { $0.place < $1.place }
    }

    /// The pointers that lie in `range`.
    func pointers(in range: Range<UInt>) -> ArraySlice<Pointer> {
        let start = range.lowerBound == 0 ? 0 : pointers.firstIndex(above: range.lowerBound - 1) { $0.place }
        let end = range.upperBound == 0 ? 0 : pointers.firstIndex(above: range.upperBound - 1) { $0.place }
        return pointers[start..<max(start, end)]
    }

    /// Where the pointer at `place` leads to; `nil` if it leads out of the executable.
    subscript(place: UInt) -> UInt? {
        pointers(in: place..<place &+ 1).first?.target
    }
}
