/// An open descriptor that has several owners, closed when the last of them goes.
package final class OpenDescriptor: Sendable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    package var number: DescriptorNumber { descriptor.number }
}
