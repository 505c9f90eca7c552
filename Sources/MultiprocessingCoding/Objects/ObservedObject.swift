/// An object that is encoded to see whether the fields that its class adds are.
///
/// Whether a method is overridden is not to be learned from a class. But the keys are: coding that is inherited
/// asks for those of the superclass alone.
final class ObservedObject<Object: Encodable>: Encodable {
    enum Finding {
        case areEncoded
        case areLeftOut
        /// No keys were asked for.
        case unknown
    }

    private let value: Object
    private let added: AddedFields
    private(set) var finding = Finding.unknown

    init(value: Object, added: AddedFields) {
        self.value = value
        self.added = added
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: Observer(encoder: encoder, object: self))
    }

    /// Passes everything on.
    private struct Observer: Encoder {
        let encoder: any Encoder
        let object: ObservedObject

        var codingPath: [any CodingKey] { encoder.codingPath }

        var userInfo: [CodingUserInfoKey: Any] { encoder.userInfo }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            if object.added.areKeys(type) {
                object.finding = .areEncoded
            } else if object.finding == .unknown {
                object.finding = .areLeftOut
            }
            return encoder.container(keyedBy: type)
        }

        func unkeyedContainer() -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }

        func singleValueContainer() -> any SingleValueEncodingContainer { encoder.singleValueContainer() }
    }
}
