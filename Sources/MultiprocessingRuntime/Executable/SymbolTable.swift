import CMultiprocessing

/// The `.symtab` section of a 64-bit ELF file, laid out as elf.h says: `Elf64_Ehdr`, `Elf64_Shdr`,
/// `Elf64_Sym`.
///
/// What lies outside of the file reads as zero, so a damaged file yields fewer symbols.
package struct SymbolTable {
    package enum Kind: UInt8 {
        case object = 1
        case function = 2
    }

    package struct Entry {
        /// The address in the file, before the image's base is added.
        package let address: UInt
        package let size: UInt
        /// Whether it lies in a section without bytes in the file (`.bss`).
        let isZeroed: Bool
        fileprivate let nameStart: UnsafePointer<CChar>
        fileprivate let nameLength: Int

        package var name: String {
            String(
                decoding: UnsafeRawBufferPointer(start: nameStart, count: nameLength),
                as: UTF8.self
            )
        }

        /// Looks at the name without making a string of it; most entries are of no interest.
        package func nameBegins(with prefix: StaticString) -> Bool {
            let count = prefix.utf8CodeUnitCount
            return nameLength >= count && mp_are_equal(nameStart, prefix.utf8Start, count)
        }

        package func nameEnds(with suffix: StaticString) -> Bool {
            let count = suffix.utf8CodeUnitCount
            return nameLength >= count && mp_are_equal(nameStart + nameLength - count, suffix.utf8Start, count)
        }
    }

    private static let entrySize = 24

    private let file: UnsafeRawBufferPointer
    private var entries = 0..<0
    private var strings = 0
    private var zeroedSections: Set<UInt16> = []

    package init?(_ file: UnsafeRawBufferPointer) {
        self.file = file
        let sections = Int(truncatingIfNeeded: load(40, as: UInt64.self))
        let sectionSize = Int(load(58, as: UInt16.self))
        var stringSection: Int?
        for index in 0..<load(60, as: UInt16.self) {
            let header = sections &+ Int(index) * sectionSize
            switch load(header &+ 4, as: UInt32.self) {
            case 2:
                let start = Int(truncatingIfNeeded: load(header &+ 24, as: UInt64.self))
                let size = Int(truncatingIfNeeded: load(header &+ 32, as: UInt64.self))
                guard start >= 0, size >= 0, start <= file.count, size <= file.count - start else { return nil }
                entries = start..<start + size
                stringSection = sections &+ Int(load(header &+ 40, as: UInt32.self)) * sectionSize
            case 8:
                zeroedSections.insert(index)
            default:
                break
            }
        }
        guard let stringSection else { return nil }
        strings = Int(truncatingIfNeeded: load(stringSection &+ 24, as: UInt64.self))
    }

    package func forEach(_ kind: Kind, _ body: (Entry) -> Void) {
        guard let start = file.baseAddress else { return }
        for offset in stride(from: entries.lowerBound, to: entries.upperBound, by: Self.entrySize) {
            guard load(offset + 4, as: UInt8.self) & 0xF == kind.rawValue else { continue }
            let name = strings &+ Int(load(offset, as: UInt32.self))
            guard file.indices.contains(name) else { continue }
            let text = (start + name).assumingMemoryBound(to: CChar.self)
            let entry = Entry(
                address: UInt(load(offset + 8, as: UInt64.self)),
                size: UInt(load(offset + 16, as: UInt32.self)),
                isZeroed: zeroedSections.contains(load(offset + 6, as: UInt16.self)),
                nameStart: text,
                nameLength: mp_text_length(text, file.count - name)
            )
            body(entry)
        }
    }

    private func load<Value: FixedWidthInteger>(_ offset: Int, as: Value.Type) -> Value {
        guard offset >= 0, offset <= file.count - MemoryLayout<Value>.size else { return 0 }
        return file.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
