import MultiprocessingRuntime
import Synchronization

/// How types and methods are named between programs that need not be one build: as they are written.
///
/// Such a name is compared with what is there, and finds nothing by itself.
enum NetworkNames {
    /// - Throws: ``ActorCallError/Code/refused`` for a type that has no name outside of its file.
    static func name(of type: Any.Type) throws -> [UInt8] {
        let name = String(reflecting: type)
        guard !name.contains("(unknown context at") else { throw ActorCallError.namelessType(type) }
        return Array(name.utf8)
    }

    private struct Method: Hashable {
        let type: ObjectIdentifier
        let target: String
    }

    /// Methods that were found to be of their types, as many as the program has.
    private static let known = Mutex<Set<Method>>([])

    /// Checks that a method is declared by the type, or an extension of it without conditions.
    ///
    /// Swift's runtime calls whatever distributed method has the name, whosever it is.
    ///
    /// - Throws: ``ActorCallError/Code/refused``.
    static func check(_ target: String, isOf type: Any.Type) throws {
        let method = Method(type: ObjectIdentifier(type), target: target)
        if known.withLock({ $0.contains(method) }) { return }
        guard isMethod(target, of: type) else { throw ActorCallError.notAMethod(of: type) }
        known.withLock { _ = $0.insert(method) }
    }

    private static func isMethod(_ target: String, of type: Any.Type) -> Bool {
        // A name that the program does not have may be made to take the runtime for ever.
        guard target.hasPrefix("$s"), target.hasSuffix("FTE"), TopLevelVariable.isDistributedMethod(target) else {
            return false
        }
        let prefix = "distributed thunk \(nominalName(of: type))."
        let text = TopLevelVariable.demangle(target)
        guard text.hasPrefix(prefix) else { return false }
        // Up to its parameters, it is the method's own name, and no type's within the type.
        let rest = text.dropFirst(prefix.count)
        let name = rest.prefix { $0 != "(" && $0 != "<" }
        // One that is generic would be given the actor's arguments for its own.
        let isGeneric = rest.dropFirst(name.count).first != "("
        return !name.isEmpty && !isGeneric && !name.contains { $0 == "." || $0 == " " }
    }

    /// The type's name without its arguments.
    private static func nominalName(of type: Any.Type) -> String {
        var (name, depth) = ("", 0)
        for character in String(reflecting: type) {
            if character == "<" { depth += 1 }
            if depth == 0 { name.append(character) }
            if character == ">" { depth -= 1 }
        }
        return name
    }
}

extension ActorCallError {
    static func namelessType(_ type: Any.Type) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            \(readableName(of: type)) is private to its file, and has no name in another program; declare it internal \
            or public
            """)
    }

    static func notAMethod(of type: Any.Type) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            across a network only methods can be called that \(readableName(of: type)) itself declares, and no generic \
            ones; the two programs may have been built from different sources
            """)
    }
}
