extension Encoder {
    /// What is in `userInfo` under a key; quicker with the library's own encoder, which has another dictionary.
    package func found(_ key: CodingUserInfoKey) -> Any? {
        guard let own = self as? ValueEncoder else { return userInfo[key] }
        return own.storage.userInfo[key]
    }
}

extension Decoder {
    /// What is in `userInfo` under a key; quicker with the library's own decoder, which has another dictionary.
    package func found(_ key: CodingUserInfoKey) -> Any? {
        guard let own = self as? ValueDecoder else { return userInfo[key] }
        return own.storage.userInfo[key]
    }
}
