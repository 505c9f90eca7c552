internal import CMultiprocessing
internal import Glibc

/// The variables that a child is started with, as they were when this was made.
///
/// A copy, because reading `environ` is a race with every `setenv` in the program: it is read once, where
/// the caller stands, and never by a thread that the caller does not know of.
///
/// Sendable is unchecked: the strings are not changed once they are there.
final class Environment: @unchecked Sendable {
    private let list: CStringList

    /// Copies this process's environment.
    ///
    /// - Parameters:
    ///   - changes: What is different in the copy; nil removes a variable.
    ///   - inheriting: False begins with no variable at all.
    init(changing changes: [String: String?] = [:], inheriting: Bool = true) {
        var list = CStringList()
        var entry = inheriting ? mp_environment() : nil
        while let pointer = entry, let variable = pointer.pointee {
            if !changes.keys.contains(where: { Self.isNamed($0, variable) }) {
                list.append(variable)
            }
            entry = pointer + 1
        }
        for case (let name, let value?) in changes {
            "\(name)=\(value)".withCString { list.append($0) }
        }
        self.list = list
    }

    /// - Parameter extra: One variable more, `NAME=value`.
    func withUnsafePointer<R>(
        adding extra: String?,
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        guard let extra else { return list.withUnsafePointer(body) }
        return list.withUnsafePointer(adding: extra, body)
    }

    /// The value of a variable of this process.
    static func value(of name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Whether an entry `NAME=value` is the variable of that name.
    private static func isNamed(_ name: String, _ variable: UnsafePointer<CChar>) -> Bool {
        let count = name.utf8.count
        return strncmp(variable, name, count) == 0 && variable[count] == CChar(bitPattern: UInt8(ascii: "="))
    }
}
