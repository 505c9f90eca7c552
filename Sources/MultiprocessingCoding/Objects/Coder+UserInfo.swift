extension Encoder {
    /// The object in `userInfo` under a key; quicker with the library's own encoder, which has another dictionary.
    package func userObject(_ key: CodingUserInfoKey) -> AnyObject? {
        guard let own = self as? ValueEncoder else { return userInfo[key] as AnyObject? }
        return own.storage.userObject(key)
    }
}

extension Decoder {
    /// The object in `userInfo` under a key; quicker with the library's own decoder, which has another dictionary.
    package func userObject(_ key: CodingUserInfoKey) -> AnyObject? {
        guard let own = self as? ValueDecoder else { return userInfo[key] as AnyObject? }
        return own.storage.userObject(key)
    }
}

/// The object that was last asked for, since many values ask for the same.
struct LastUserObject {
    private var key: CodingUserInfoKey?
    private var object: AnyObject?

    func find(_ key: CodingUserInfoKey) -> AnyObject? { self.key == key ? object : nil }

    mutating func note(_ object: AnyObject?, _ key: CodingUserInfoKey) {
        self.key = key
        self.object = object
    }
}
