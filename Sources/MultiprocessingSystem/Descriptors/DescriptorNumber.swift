/// The number of a descriptor that someone else owns.
///
/// It does not keep the descriptor open: use it only while its ``FileDescriptor`` lives.
package struct DescriptorNumber: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static var standardInput: DescriptorNumber { DescriptorNumber(rawValue: 0) }
    package static var standardOutput: DescriptorNumber { DescriptorNumber(rawValue: 1) }
    package static var standardError: DescriptorNumber { DescriptorNumber(rawValue: 2) }
}

extension DescriptorNumber: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
