/// The file of this process's executable: its sections and what lies in them.
///
/// Every address is the file's own; ``base`` leads from there to the place in this process. The bytes are the
/// file's too, which is what a new process begins with, whatever this one has made of them meanwhile.
package final class ExecutableFile: Sendable {
    struct Section: Sendable {
        enum Kind: Sendable {
            case code
            case data
            /// Memory that is zero at the start and has no bytes in the file.
            case zeroed
        }

        let name: String
        let kind: Kind
        let addresses: Range<UInt>
        fileprivate let offset: Int
    }

    /// What is added to the addresses when the executable is loaded.
    package let base: UInt
    /// The sections that are in memory at run time, by address.
    let sections: [Section]
    /// The sections that hold relocations, as places in the file.
    let relocations: [Range<Int>]
    /// Whether code and data hold addresses as they are at run time, because the executable is loaded where the
    /// linker put it.
    let isAbsolute: Bool
    /// Where the kernel starts the program.
    package let entry: UInt

    private let file: MappedFile

    package var bytes: UnsafeRawBufferPointer { file.bytes }

    /// Maps `/proc/self/exe`.
    ///
    /// - Throws: When it cannot be read at this moment, or is not laid out as expected.
    package init() throws(NotPortable) {
        guard let image = ImageTable.scan().image(named: "") else {
            throw NotPortable("the executable is not among the loaded files")
        }
        do {
            file = try MappedFile("/proc/self/exe")
        } catch {
            throw NotPortable("the executable could not be read: \(error); look whether /proc is mounted")
        }
        let bytes = file.bytes
        let sections = Self.sections(in: bytes)
        base = image.base
        self.sections = sections.loaded
        relocations = sections.relocations
        isAbsolute = bytes.number(at: 16, as: UInt16.self) == 2
        entry = UInt(bytes.number(at: 24, as: UInt64.self))
        guard bytes.number(at: 18, as: UInt16.self) == 62, !self.sections.isEmpty else {
            throw NotPortable("the executable is not an x86-64 ELF file with sections")
        }
    }

    // MARK: Places

    func section(containing address: UInt) -> Section? {
        let index = sections.firstIndex(above: address) { $0.addresses.lowerBound } - 1
        guard index >= 0, sections[index].addresses.contains(address) else { return nil }
        return sections[index]
    }

    func section(named name: String) -> Section? {
        sections.first { $0.name == name }
    }

    /// The bytes at these addresses, which lie in one section; fewer, or none, for a damaged file.
    package func bytes(at addresses: Range<UInt>) -> UnsafeRawBufferPointer {
        guard let section = section(containing: addresses.lowerBound), section.kind != .zeroed else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let start = section.offset + Int(addresses.lowerBound - section.addresses.lowerBound)
        let end = start + Int(min(addresses.upperBound, section.addresses.upperBound) - addresses.lowerBound)
        guard bytes.indices.contains(start), end <= bytes.count else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    /// The address that is so far from `address` as the four bytes there say.
    package func relative(at address: UInt) -> UInt {
        let value = bytes(at: address..<address &+ 4).number(at: 0, as: Int32.self)
        return address &+ UInt(bitPattern: Int(value))
    }

    // MARK: Section headers

    /// Reads the headers as elf.h lays them out: `Elf64_Ehdr`, `Elf64_Shdr`.
    private static func sections(in file: UnsafeRawBufferPointer) -> (loaded: [Section], relocations: [Range<Int>]) {
        var loaded: [Section] = []
        var relocations: [Range<Int>] = []
        let headers = Int(truncatingIfNeeded: file.number(at: 40, as: UInt64.self))
        let headerSize = Int(file.number(at: 58, as: UInt16.self))
        func field(_ index: Int, _ place: Int) -> Int {
            Int(truncatingIfNeeded: file.number(at: headers &+ index * headerSize &+ place, as: UInt64.self))
        }
        let names = field(Int(file.number(at: 62, as: UInt16.self)), 24)
        for index in 0..<Int(file.number(at: 60, as: UInt16.self)) {
            let start = headers &+ index * headerSize
            let kind = file.number(at: start &+ 4, as: UInt32.self)
            let flags = field(index, 8)
            let (address, offset, size) = (field(index, 16), field(index, 24), field(index, 32))
            // SHF_ALLOC, and not SHF_TLS, whose addresses are none.
            guard flags & 2 != 0, flags & 0x400 == 0, address > 0, size > 0, offset >= 0 else { continue }
            guard kind == 8 || (offset <= file.count && size <= file.count - offset) else { continue }
            if kind == 4 { relocations.append(offset..<offset + size) }
            let name = file.text(at: names &+ Int(file.number(at: start, as: UInt32.self)))
            loaded.append(
                Section(
                    name: name, kind: kind == 8 ? .zeroed : flags & 4 != 0 ? .code : .data,
                    addresses: UInt(address)..<UInt(address) &+ UInt(size), offset: offset))
        }
        return (loaded.sorted { $0.addresses.lowerBound < $1.addresses.lowerBound }, relocations)
    }
}

extension UnsafeRawBufferPointer {
    /// The number at `offset`; zero where there is none, so that a damaged file has less in it.
    package func number<Value: FixedWidthInteger>(at offset: Int, as: Value.Type) -> Value {
        guard offset >= 0, offset <= count - MemoryLayout<Value>.size, let baseAddress else { return 0 }
        // Safe: any bytes are a number.
        return (baseAddress + offset).loadUnaligned(as: Value.self)
    }

    /// The text at `offset` up to the next zero.
    fileprivate func text(at offset: Int) -> String {
        guard indices.contains(offset) else { return "" }
        return String(decoding: self[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension Array {
    /// The index of the first element whose key is above `key`; the elements are sorted by it.
    package func firstIndex(above key: UInt, _ keyOf: (Element) -> UInt) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if keyOf(self[middle]) > key { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
