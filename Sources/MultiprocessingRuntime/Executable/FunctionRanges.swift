/// Where each function of an executable begins and ends.
///
/// The unwind table, which `strip` leaves alone, lists all functions that use the stack; the symbols list
/// every function, if they are there. What neither lists lies in the gaps between the others.
package struct FunctionRanges: Sendable {
    /// By their starts.
    private let functions: [Range<UInt>]
    private let code: [Range<UInt>]

    package init(_ file: ExecutableFile, symbols: SymbolTable?) {
        var functions = Self.unwindable(in: file)
        symbols?.forEach(.function) { entry in
            if entry.size > 0 { functions.append(entry.address..<entry.address &+ entry.size) }
        }
        functions.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        var kept: [Range<UInt>] = []
        kept.reserveCapacity(functions.count)
        for function in functions {
            // The longer of two that begin together comes last.
            if kept.last?.lowerBound == function.lowerBound { kept.removeLast() }
            kept.append(function)
        }
        self.functions = kept
        code = file.sections.filter { $0.kind == .code }.map(\.addresses)
    }

    /// The function that begins at `address`.
    ///
    /// Where no function is known, the code from there to the next known one.
    package func function(at address: UInt) -> Range<UInt>? {
        let next = functions.firstIndex(above: address) { $0.lowerBound }
        if next > 0 {
            let last = functions[next - 1]
            if last.lowerBound == address { return last }
            // A place within a function is part of it, and jumped to from there alone.
            if last.contains(address) { return nil }
        }
        guard let section = code.first(where: { $0.contains(address) }) else { return nil }
        let end = next < functions.count ? min(functions[next].lowerBound, section.upperBound) : section.upperBound
        return address..<max(address, end)
    }

    /// Reads `.eh_frame_hdr` and the entries of `.eh_frame` that it lists, as the Linux Standard Base
    /// describes them, in the encoding that linkers use.
    private static func unwindable(in file: ExecutableFile) -> [Range<UInt>] {
        guard let header = file.section(named: ".eh_frame_hdr")?.addresses else { return [] }
        let table = file.bytes(at: header)
        guard table.number(at: 0, as: UInt32.self) == 0x3B03_1B01 else { return [] }
        let count = min(Int(table.number(at: 8, as: UInt32.self)), (table.count - 12) / 8)
        var functions: [Range<UInt>] = []
        functions.reserveCapacity(max(count, 0))
        for index in 0..<max(count, 0) {
            func address(_ offset: Int) -> UInt {
                header.lowerBound &+ UInt(bitPattern: Int(table.number(at: 12 + 8 * index + offset, as: Int32.self)))
            }
            let (start, entry) = (address(0), address(4))
            // The length of the entry, the distance to what it has in common with others, the start, the size.
            guard file.relative(at: entry &+ 8) == start else { continue }
            let size = UInt(file.bytes(at: entry &+ 12..<entry &+ 16).number(at: 0, as: UInt32.self))
            // The table of jumps to other libraries is listed like a function.
            guard size > 0, file.section(containing: start)?.name.hasPrefix(".plt") == false else { continue }
            functions.append(start..<start &+ size)
        }
        return functions
    }
}
