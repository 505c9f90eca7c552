extension MangledName {
    /// What this name, of a captured type, says about how the capture is stored.
    package enum Storage {
        /// As the type's values always are.
        case value
        /// As the two words of a function value.
        case function(isAsync: Bool)
        /// In a way that this library does not take apart; the text completes "it captures …".
        case other(String)
    }

    /// The name's last characters tell functions and references of other strengths apart.
    package var storage: Storage {
        let tail = text
        for (suffix, what) in [
            ("Xw", "a weak reference"), ("Xo", "an unowned reference"), ("Xu", "an unmanaged reference"),
            ("Xb", "a mutable variable or a weak reference"), ("Xx", "a mutable variable or a weak reference"),
        ] where tail.hasSuffix(suffix) {
            return .other(what)
        }
        guard tail.hasSuffix("_"), let start = tail.utf8.lastIndex(of: UInt8(ascii: "I")) else { return .value }
        // docs/ABI/Mangling.rst, FUNC-ATTRIBUTES: "e" escapes, "g" is a counted context passed at
        // +0, then "h" is Sendable and "H" async; conventions in lower case follow. Anything
        // else between them is another representation or another kind of function.
        var attributes = tail[tail.index(after: start)...].dropLast()
        guard attributes.hasPrefix("eg") else { return .other("a function of an unusual kind") }
        attributes = attributes.dropFirst(2)
        if attributes.hasPrefix("h") { attributes = attributes.dropFirst() }
        let isAsync = attributes.hasPrefix("H")
        if isAsync { attributes = attributes.dropFirst() }
        guard attributes.allSatisfy({ $0.isLowercase || $0 == "X" || $0 == "T" }) else {
            return .other("a function of an unusual kind")
        }
        return .function(isAsync: isAsync)
    }
}
