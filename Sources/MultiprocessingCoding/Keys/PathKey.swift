/// A coding key that is not one of a user's types: in coding paths, and where only the
/// text of a key is known.
struct PathKey: CodingKey, Hashable, Sendable {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }

    init(stringValue: String, intValue: Int?) {
        self.stringValue = stringValue
        self.intValue = intValue
    }

    /// The position of an element in an unkeyed container.
    init(index: Int) {
        stringValue = "Index \(index)"
        intValue = index
    }

    /// The key under which a superclass encodes itself unless a key is given.
    static let superclass = PathKey(stringValue: "super")
}
