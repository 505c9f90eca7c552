extension TopLevelVariable {
    /// The variable's type, if its symbol tells it beyond doubt.
    package var type: Any.Type? { typeBySymbol ?? typeByText }

    /// The type by its text, for a symbol that abbreviates words of the type which the variable's name has too.
    ///
    /// The text does not say what kind of type a name is, so each is tried; what is found has to have the same text
    /// and the variable's size.
    private var typeByText: Any.Type? {
        let parts = typeName.split(separator: ".", omittingEmptySubsequences: false)
        guard mangledName.hasSuffix("vp"), parts.count >= 2,
            parts.allSatisfy({ part in
                part.first?.isLetter == true && part.utf8.allSatisfy { $0 < 0x80 }
                    && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            })
        else { return nil }
        let identifiers = parts.map { "\($0.utf8.count)\($0)" }
        var names = [identifiers[0]]
        for identifier in identifiers.dropFirst() {
            names = names.flatMap { name in ["V", "O", "C"].map { name + identifier + $0 } }
        }
        let types = names.compactMap { _typeByName($0) }.filter { type in
            _typeName(type, qualified: true) == typeName && ValueWitness(type).size == size
                && address % UInt(ValueWitness(type).alignment) == 0
        }
        return types.count == 1 ? types[0] : nil
    }

    /// The variable's type, if its symbol's name tells it beyond doubt.
    ///
    /// docs/ABI/Mangling.rst: the name of a global variable is its module, its identifier (with a
    /// discriminator for a private one), its type, and "vp". The type may refer back to the module
    /// as the first substitution, "AA". Whatever was read is mangled again and compared, so a name
    /// with more in it than this reads finds no type.
    private var typeBySymbol: Any.Type? {
        var rest = mangledName.utf8.dropFirst(2)
        guard mangledName.hasPrefix("$s"), mangledName.hasSuffix("vp"), let module = Self.takeIdentifier(&rest),
            Self.takeIdentifier(&rest) != nil
        else { return nil }
        if let first = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
            var discriminator = rest
            if Self.takeIdentifier(&discriminator) != nil, discriminator.starts(with: "LL".utf8) {
                rest = discriminator.dropFirst(2)
            }
        }
        guard let plain = String(rest.dropLast(2)) else { return nil }
        let spelled = Self.spellOut(plain, module: "\(module.utf8.count)\(module)")
        guard let type = _typeByName(spelled), _mangledTypeName(type) == spelled,
            ValueWitness(type).size == size, address % UInt(ValueWitness(type).alignment) == 0
        else { return nil }
        return type
    }

    /// Takes a length and that many bytes; `nil` for an identifier that is abbreviated.
    private static func takeIdentifier(_ text: inout Substring.UTF8View) -> String? {
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let digits = String(digits), !digits.hasPrefix("0"), let length = Int(digits) else { return nil }
        text = text.dropFirst(digits.utf8.count)
        guard length <= text.count, let identifier = String(text.prefix(length)) else { return nil }
        text = text.dropFirst(length)
        return identifier
    }

    /// Writes the module's name in place of the first reference back to it.
    private static func spellOut(_ type: String, module: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(type.utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: "AA".utf8) {
                bytes += Array(module.utf8) + rest.dropFirst(2)
                break
            }
            bytes.append(byte)
            rest = rest.dropFirst()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
