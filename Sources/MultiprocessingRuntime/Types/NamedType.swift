/// The structure of a mangled type name that the runtime cannot resolve, because it mentions a type without
/// metadata.
///
/// Only what such names are made of is understood (docs/ABI/Mangling.rst of the Swift project): symbolic
/// references, the standard library's abbreviations, generic arguments, tuples, optionals, substitutions and
/// generic parameters.
package indirect enum NamedType {
    case nominal(UnsafeRawPointer, arguments: [NamedType])
    case tuple([(label: String, type: NamedType)])
    case parameter(SyntheticGenericContext.Parameter)
    /// A type of the standard library that is no generic one.
    case standard(Any.Type)
}

/// Reads a mangled name from the front, with a stack as the mangling wants it.
package struct NamedTypeParser {
    private enum Item {
        case type(NamedType)
        /// Where the elements of a tuple or the generic arguments begin.
        case list
        /// Behind the first element of a tuple.
        case first
        case label(String)
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var stack: [Item] = []
    private var substitutions: [NamedType] = []

    private init(_ name: MangledName) {
        bytes = name.bytes
    }

    /// The structure of `name`, or `nil` if anything else is in it.
    package static func parse(_ name: MangledName) -> NamedType? {
        var parser = NamedTypeParser(name)
        while parser.position < parser.bytes.count {
            guard parser.step() else { return nil }
        }
        guard parser.stack.count == 1 else { return nil }
        return parser.popType()
    }

    private mutating func step() -> Bool {
        let byte = bytes[position]
        position += 1
        switch byte {
        case 1, 2:
            return reference(isIndirect: byte == 2)
        case UInt8(ascii: "A"):
            return substitution()
        case UInt8(ascii: "S"):
            return abbreviation()
        case UInt8(ascii: "y"):
            stack.append(.list)
        case UInt8(ascii: "_"):
            stack.append(.first)
        case UInt8(ascii: "x"), UInt8(ascii: "q"):
            return parameter(from: position - 1)
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            return label()
        case UInt8(ascii: "t"):
            return tuple()
        case UInt8(ascii: "G"):
            return boundGeneric()
        default:
            return false
        }
        return true
    }

    private mutating func popType() -> NamedType? {
        guard case .type(let type)? = stack.popLast() else { return nil }
        return type
    }

    private mutating func push(_ type: NamedType, isSubstitution: Bool = false) -> Bool {
        stack.append(.type(type))
        if isSubstitution { substitutions.append(type) }
        return true
    }

    private mutating func reference(isIndirect: Bool) -> Bool {
        guard position + 4 <= bytes.count, let start = bytes.baseAddress else { return false }
        let field = UnsafeRawPointer(start + position)
        var target = field + Int(field.loadUnaligned(as: Int32.self))
        position += 4
        if isIndirect {
            guard ImageTable.isMapped(target, count: 8, content: .data),
                let address = target.load(as: UnsafeRawPointer?.self)
            else { return false }
            target = address
        }
        guard TypeDescriptor(incomplete: target) != nil else { return false }
        return push(.nominal(target, arguments: []), isSubstitution: true)
    }

    /// "A", lower-case letters for substitutions of which more follow, and an upper-case letter for the last.
    ///
    /// A number before a letter says how often, and one before "_" which of those behind the alphabet.
    private mutating func substitution() -> Bool {
        while position < bytes.count {
            let repetitions = number()
            guard position < bytes.count else { return false }
            let letter = bytes[position]
            position += 1
            if letter == UInt8(ascii: "_") { return pushSubstitution((repetitions ?? -1) + 27, 1) }
            let isLast = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter)
            guard isLast || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter),
                pushSubstitution(Int(letter - UInt8(ascii: isLast ? "A" : "a")), repetitions ?? 1)
            else { return false }
            if isLast { return true }
        }
        return false
    }

    private mutating func pushSubstitution(_ index: Int, _ repetitions: Int) -> Bool {
        guard index < substitutions.count, repetitions <= bytes.count * 64 else { return false }
        for _ in 0..<repetitions { stack.append(.type(substitutions[index])) }
        return true
    }

    /// Takes decimal digits.
    private mutating func number() -> Int? {
        var value: Int?
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]),
            value ?? 0 < 1 << 20
        {
            value = (value ?? 0) * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return value
    }

    /// "S" and a letter for a type of the standard library, with how often between them, or "Sg" behind the
    /// type that is optional.
    private mutating func abbreviation() -> Bool {
        let repetitions = number() ?? 1
        guard position < bytes.count, (1...256).contains(repetitions) else { return false }
        let letter = bytes[position]
        position += 1
        if letter == UInt8(ascii: "g") {
            guard repetitions == 1, let wrapped = popType() else { return false }
            return push(.nominal(StandardType.optional, arguments: [wrapped]), isSubstitution: true)
        }
        let named: NamedType
        if let descriptor = StandardType.generic(letter) {
            named = .nominal(descriptor, arguments: [])
        } else {
            let name = [UInt8(ascii: "S"), letter]
            guard let type = name.withUnsafeBytes({ MangledName($0[...]).resolve() }) else { return false }
            named = .standard(type)
        }
        for _ in 0..<repetitions { stack.append(.type(named)) }
        return true
    }

    /// "x", or "q", an index, "_", and more for parameters of inner contexts.
    private mutating func parameter(from start: Int) -> Bool {
        var end = position
        if bytes[start] == UInt8(ascii: "q") {
            var underscores = position < bytes.count && bytes[position] == UInt8(ascii: "d") ? 2 : 1
            while underscores > 0 {
                guard end < bytes.count else { return false }
                if bytes[end] == UInt8(ascii: "_") { underscores -= 1 }
                end += 1
            }
        }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        guard let parameter = SyntheticGenericContext.Parameter(mangled: name) else { return false }
        position = end
        return push(.parameter(parameter))
    }

    private mutating func label() -> Bool {
        position -= 1
        guard let length = number(), position + length <= bytes.count else { return false }
        stack.append(.label(String(decoding: bytes[position..<position + length], as: UTF8.self)))
        position += length
        return true
    }

    /// The elements from the one that "_" follows; each with its label behind it.
    private mutating func tuple() -> Bool {
        var elements: [(label: String, type: NamedType)] = []
        if case .list? = stack.last {
            stack.removeLast()
            return push(.tuple([]))
        }
        while true {
            var isFirst = false
            if case .first? = stack.last {
                stack.removeLast()
                isFirst = true
            }
            var label = ""
            if case .label(let text)? = stack.last {
                stack.removeLast()
                label = text
            }
            guard let type = popType() else { return false }
            elements.append((label, type))
            if isFirst { return push(.tuple(elements.reversed())) }
        }
    }

    /// The arguments of all levels, outermost first; "_" stands between those of one level and the next.
    private mutating func boundGeneric() -> Bool {
        var arguments: [NamedType] = []
        while true {
            if case .list? = stack.last {
                stack.removeLast()
                break
            }
            if case .first? = stack.last {
                stack.removeLast()
                continue
            }
            guard let argument = popType() else { return false }
            arguments.append(argument)
        }
        guard case .nominal(let descriptor, let none)? = popType(), none.isEmpty else { return false }
        return push(.nominal(descriptor, arguments: arguments.reversed()), isSubstitution: true)
    }
}

/// The descriptors of the standard library's generic types that have an abbreviation.
package enum StandardType {
    package static var array: UnsafeRawPointer { descriptor(of: [Int].self) }
    package static var set: UnsafeRawPointer { descriptor(of: Set<Int>.self) }
    package static var dictionary: UnsafeRawPointer { descriptor(of: [Int: Int].self) }
    package static var optional: UnsafeRawPointer { descriptor(of: Int?.self) }

    /// The generic type that "S" and this letter stand for.
    package static func generic(_ letter: UInt8) -> UnsafeRawPointer? {
        switch letter {
        case UInt8(ascii: "a"): array
        case UInt8(ascii: "h"): set
        case UInt8(ascii: "D"): dictionary
        case UInt8(ascii: "q"): optional
        case UInt8(ascii: "n"): descriptor(of: Range<Int>.self)
        case UInt8(ascii: "N"): descriptor(of: ClosedRange<Int>.self)
        default: nil
        }
    }

    /// The word behind the kind in the metadata of a structure or enumeration.
    private static func descriptor(of type: Any.Type) -> UnsafeRawPointer {
        // A metatype's value is the address of the metadata.
        unsafeBitCast(type, to: UnsafeRawPointer.self).load(fromByteOffset: 8, as: UnsafeRawPointer.self)
    }
}
