/// Something cannot be named in, or rebuilt from, another process; the reason is for people.
package struct NotPortable: Error, Hashable, Sendable, CustomStringConvertible {
    /// A phrase that says what is in the way, without a final period.
    package let reason: String

    /// The type that is in the way, if one is.
    package let typeName: String?

    package init(_ reason: String) {
        self.init(reason, typeName: nil)
    }

    package init(_ reason: String, typeName: String?) {
        self.reason = reason
        self.typeName = typeName
    }

    package var description: String { reason }

    /// What a receiver reports when the bytes of a reference make no sense.
    package static func damaged(_ detail: String) -> NotPortable {
        NotPortable("a reference from the other process is damaged: \(detail)")
    }
}
