import CMultiprocessing
import Synchronization

/// What the compiler recorded of layouts that do not follow from the fields, by the type's descriptor.
///
/// The records are `BuiltinTypeDescriptor` and `MultiPayloadEnumDescriptor` in
/// include/swift/RemoteInspection/Records.h of the Swift project, in the sections `swift5_builtin`
/// and `swift5_mpenum` of each image.
package struct LayoutRecords: Sendable {
    package struct Layout: Sendable {
        package let size: Int
        package let alignment: Int
        package let spareCount: Int
    }

    package private(set) var layouts: [UInt: Layout] = [:]
    /// Whether an enumeration with several payloads has its tag in bits that those leave free.
    package private(set) var usesSpareBits: [UInt: Bool] = [:]
    private var imageCount = 0

    private static let cached = Mutex(LayoutRecords())

    /// The records of all images that are loaded now.
    package static var current: LayoutRecords {
        let count = ImageTable.scan().images.count
        if let known = cached.withLock({ $0.imageCount == count ? $0 : nil }) { return known }
        var records = LayoutRecords()
        records.imageCount = count
        withUnsafeMutablePointer(to: &records) { records in
            mp_visit_layout_sections(records) { context, sections in
                guard let context, let sections = sections?.pointee else { return }
                let records = context.assumingMemoryBound(to: LayoutRecords.self)
                if let start = sections.builtin {
                    records.pointee.readLayouts(UnsafeRawBufferPointer(start: start, count: sections.builtin_size))
                }
                if let start = sections.multi_payload {
                    records.pointee.readSpareBits(
                        UnsafeRawBufferPointer(start: start, count: sections.multi_payload_size))
                }
            }
        }
        cached.withLock { $0 = records }
        return records
    }

    /// Five 32-bit words a record: the name, the size, the alignment with flags, the stride, the spare patterns.
    private mutating func readLayouts(_ section: UnsafeRawBufferPointer) {
        for start in stride(from: 0, through: section.count - 20, by: 20) {
            guard let record = section.baseAddress.map({ $0 + start }), let type = Self.descriptor(of: record) else {
                continue
            }
            layouts[type] = Layout(
                size: Int(record.load(fromByteOffset: 4, as: UInt32.self)),
                alignment: Int(record.load(fromByteOffset: 8, as: UInt32.self) & 0xFFFF),
                spareCount: Int(record.load(fromByteOffset: 16, as: UInt32.self)))
        }
    }

    /// The name, then a word with the number of words from here in its upper half, and whether spare bits are used
    /// in its lowest bit; the mask of those bits follows.
    private mutating func readSpareBits(_ section: UnsafeRawBufferPointer) {
        var start = 0
        while start + 8 <= section.count, let record = section.baseAddress.map({ $0 + start }) {
            let header = record.load(fromByteOffset: 4, as: UInt32.self)
            let words = Int(header >> 16)
            guard words > 0 else { return }
            if let type = Self.descriptor(of: record) { usesSpareBits[type] = header & 1 != 0 }
            start += 4 + 4 * words
        }
    }

    /// The descriptor that a record's name refers to; `nil` for a name of another form, as a generic type has.
    private static func descriptor(of record: UnsafeRawPointer) -> UInt? {
        let name = record + Int(record.load(as: Int32.self))
        guard ImageTable.isMapped(name, count: 6, content: .data), name.load(as: UInt8.self) == 1,
            name.load(fromByteOffset: 5, as: UInt8.self) == 0
        else { return nil }
        return UInt(bitPattern: name + 1 + Int(name.loadUnaligned(fromByteOffset: 1, as: Int32.self)))
    }
}
