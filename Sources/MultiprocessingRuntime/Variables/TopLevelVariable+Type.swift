extension TopLevelVariable {
    /// The variable's type, if its symbol tells it beyond doubt and the executable has its metadata.
    ///
    /// docs/ABI/Mangling.rst: the name of a global variable is its module, its identifier (with a discriminator for a
    /// private one), its type, and "vp". The type may refer back to all that stands before it, down to single words of
    /// the variable's name. Whatever was read has to have the text and the size that the variable's type has.
    package var type: Any.Type? {
        guard mangledName.hasPrefix("$s"), mangledName.hasSuffix("vp"), !typeName.isEmpty,
            let spelled = SpelledName.type(ofVariable: mangledName.dropFirst(2).dropLast(2)),
            // "D" ends the name of a type that stands alone.
            Self.demangle("$s\(spelled)D") == typeName,
            let type = _typeByName(spelled),
            ValueWitness(type).size == size, address % UInt(ValueWitness(type).alignment) == 0
        else { return nil }
        return type
    }
}
