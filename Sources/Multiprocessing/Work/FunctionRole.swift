/// What the type in a function's definition says of it; the numbers travel.
enum FunctionRole: UInt8, Sendable {
    /// The type is an ``ItemBox``, and the item is all that its function takes.
    case item
    /// The type is a ``SharingBox``, whose function takes the item and a value that all items share.
    case sharing
    /// The type is a ``Job``, which runs itself.
    case job
    /// The type is a ``VoidJob``, which runs itself.
    case voidJob

    var hasCode: Bool { self == .item || self == .sharing }
}
