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

extension CodingUserInfoKey {
    /// There when the bytes go to, or come from, a program that may be another build: nothing in them may be named by its
    /// place in this one.
    package static let otherBuild = CodingUserInfoKey(rawValue: "Multiprocessing.otherBuild")!
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
