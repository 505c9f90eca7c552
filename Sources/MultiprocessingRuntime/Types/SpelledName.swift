/// Writes out the abbreviations in the mangled name of a variable's type, which may refer to all that stands before
/// it in the variable's symbol.
///
/// Understood are nominal types, with the generic arguments of all levels, tuples and optionals
/// (docs/ABI/Mangling.rst of the Swift project; abbreviations are read as lib/Demangling/Demangler.cpp reads them).
struct SpelledName {
    private enum Item {
        /// An identifier, or that of a private declaration with its discriminator.
        case name(String)
        case type(String)
        /// Where the elements of a tuple or the generic arguments begin.
        case list
        /// Behind the first element of a tuple, and between the arguments of one level and the next.
        case first
    }

    /// No more words than the alphabet has letters are abbreviated.
    private static let wordLimit = 26

    private let bytes: [UInt8]
    private var position = 0
    private var stack: [Item] = []
    private var substitutions: [Item] = []
    private var words: [String] = []

    /// The type's name, of a symbol without what stands before and behind module, identifier and type; `nil` if there is
    /// anything in it that is not understood.
    static func type(ofVariable symbol: Substring) -> String? {
        var reader = SpelledName(bytes: Array(symbol.utf8))
        while reader.position < reader.bytes.count {
            guard reader.step() else { return nil }
        }
        guard reader.stack.count == 3, let type = reader.popType(), reader.popName() != nil, reader.popName() != nil
        else { return nil }
        return type
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func step() -> Bool {
        let byte = bytes[position]
        if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { return identifier() }
        position += 1
        switch byte {
        case UInt8(ascii: "A"): return substitution()
        case UInt8(ascii: "S"): return abbreviation()
        case UInt8(ascii: "s"): stack.append(.name("s"))
        case UInt8(ascii: "V"), UInt8(ascii: "O"), UInt8(ascii: "C"): return nominal(byte)
        case UInt8(ascii: "L"): return privateName()
        case UInt8(ascii: "y"): stack.append(.list)
        case UInt8(ascii: "_"): stack.append(.first)
        case UInt8(ascii: "t"): return tuple()
        case UInt8(ascii: "G"): return boundGeneric()
        default: return false
        }
        return true
    }

    private mutating func popName() -> String? {
        guard case .name(let name)? = stack.popLast() else { return nil }
        return name
    }

    private mutating func popType() -> String? {
        guard case .type(let type)? = stack.popLast() else { return nil }
        return type
    }

    private mutating func popMarker() -> Item? {
        switch stack.last {
        case .list?, .first?: stack.popLast()
        default: nil
        }
    }

    private mutating func push(_ item: Item) -> Bool {
        stack.append(item)
        substitutions.append(item)
        return true
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func number() -> Int? {
        var value: Int?
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), value ?? 0 < 1 << 20 {
            value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
        }
        return value
    }

    // MARK: Identifiers

    /// A length and the characters; or "0", and letters for words that were read before, of which the last is upper case,
    /// in between such lengths and characters.
    private mutating func identifier() -> Bool {
        var text = ""
        var hasWords = peek() == UInt8(ascii: "0")
        if hasWords {
            position += 1
            // The next zero says that what follows stands for characters outside of ASCII.
            guard peek() != UInt8(ascii: "0") else { return false }
        }
        repeat {
            while hasWords, let letter = peek(), Character(Unicode.Scalar(letter)).isLetter {
                position += 1
                hasWords = letter >= UInt8(ascii: "a")
                let index = Int(letter - UInt8(ascii: hasWords ? "a" : "A"))
                guard index < words.count else { return false }
                text += words[index]
            }
            if peek() == UInt8(ascii: "0") {
                position += 1
                break
            }
            guard let length = number(), length > 0, position + length <= bytes.count else { return false }
            let part = bytes[position..<position + length]
            position += length
            text += String(decoding: part, as: UTF8.self)
            addWords(of: part)
        } while hasWords
        return push(.name("\(text.utf8.count)\(text)"))
    }

    /// A word begins with any character but a digit or "_", and ends before "_" and before a capital behind none.
    private mutating func addWords(of part: ArraySlice<UInt8>) {
        func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
        var start: Int?
        for index in part.startIndex...part.endIndex {
            let byte = index < part.endIndex ? part[index] : 0
            let isEnd = byte == 0 || byte == UInt8(ascii: "_")
            if let begun = start, isEnd || isCapital(byte) && !isCapital(part[index - 1]) {
                if index - begun >= 2, words.count < Self.wordLimit {
                    words.append(String(decoding: part[begun..<index], as: UTF8.self))
                }
                start = nil
            }
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if start == nil, !isDigit, !isEnd { start = index }
        }
    }

    /// "LL" behind the name and the discriminator of a private declaration.
    private mutating func privateName() -> Bool {
        guard peek() == UInt8(ascii: "L") else { return false }
        position += 1
        guard let discriminator = popName(), let name = popName() else { return false }
        stack.append(.name("\(name)\(discriminator)LL"))
        return true
    }

    // MARK: Types

    /// A letter behind the name and what the type is declared in, a module or another type.
    private mutating func nominal(_ kind: UInt8) -> Bool {
        guard let name = popName() else { return false }
        let context: String
        switch stack.popLast() {
        case .name(let module)?: context = module
        case .type(let outer)?: context = outer
        default: return false
        }
        return push(.type("\(context)\(name)\(Character(Unicode.Scalar(kind)))"))
    }

    /// "A", lower-case letters for what more follows, and an upper-case letter for the last.
    ///
    /// A number before a letter says how often, and one before "_" which of those behind the alphabet.
    private mutating func substitution() -> Bool {
        while position < bytes.count {
            let count = number()
            guard let letter = peek() else { return false }
            position += 1
            let isLast = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter)
            let index: Int
            if letter == UInt8(ascii: "_") {
                index = (count ?? -1) + 27
            } else {
                guard isLast || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) else { return false }
                index = Int(letter - UInt8(ascii: isLast ? "A" : "a"))
            }
            let repetitions = letter == UInt8(ascii: "_") ? 1 : count ?? 1
            guard index < substitutions.count, repetitions <= bytes.count * 64 else { return false }
            for _ in 0..<repetitions { stack.append(substitutions[index]) }
            if isLast || letter == UInt8(ascii: "_") { return true }
        }
        return false
    }

    /// "S" and letters for a type of the standard library, with how often between them, or "Sg" behind the type that
    /// is optional.
    private mutating func abbreviation() -> Bool {
        let repetitions = number() ?? 1
        guard var letter = peek(), (1...256).contains(repetitions) else { return false }
        position += 1
        var name = "S"
        if letter == UInt8(ascii: "g") {
            guard repetitions == 1, let wrapped = popType() else { return false }
            return push(.type("\(wrapped)Sg"))
        }
        if letter == UInt8(ascii: "c") {
            guard let second = peek() else { return false }
            position += 1
            name += "c"
            letter = second
        } else if letter == UInt8(ascii: "o") || letter == UInt8(ascii: "C") {
            return false
        }
        name.unicodeScalars.append(Unicode.Scalar(letter))
        for _ in 0..<repetitions { stack.append(.type(name)) }
        return true
    }

    /// The elements from the one that "_" follows; each with its label behind it.
    private mutating func tuple() -> Bool {
        if case .list? = stack.last {
            stack.removeLast()
            stack.append(.type("yt"))
            return true
        }
        var elements: [String] = []
        while true {
            let isFirst = popMarker() != nil
            var label = ""
            if case .name(let text)? = stack.last {
                stack.removeLast()
                label = text
            }
            guard let type = popType() else { return false }
            elements.append("\(type)\(label)")
            guard isFirst else { continue }
            elements.reverse()
            stack.append(.type("\(elements[0])_\(elements.dropFirst().joined())t"))
            return true
        }
    }

    private mutating func boundGeneric() -> Bool {
        var arguments = ""
        while true {
            switch stack.popLast() {
            case .type(let argument)?: arguments = argument + arguments
            case .first?: arguments = "_" + arguments
            case .list?:
                guard let nominal = popType() else { return false }
                return push(.type("\(nominal)y\(arguments)G"))
            case .name?, nil: return false
            }
        }
    }
}
