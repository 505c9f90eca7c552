package import MultiprocessingSystem

/// What travels beside an attachment, apart from it.
///
/// It does not keep the attachment, which tells those who were sent it when it goes, and takes locks to do so: this may
/// be let go of under any lock.
package struct AnnouncedDescriptors: Sendable {
    /// The attachment's.
    package let number: UInt64
    package let descriptors: [OpenDescriptor]

    package init(of attachment: Attachment) {
        number = attachment.number
        descriptors = attachment.descriptors
    }
}
