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
    /// - Parameter changes: What is different in the copy; nil removes a variable.
    init(changing changes: [String: String?] = [:]) {
        var list = CStringList()
        var entry = mp_environment()
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

    func withUnsafePointer<R>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
        list.withUnsafePointer(body)
    }

    /// Whether an entry `NAME=value` is the variable of that name.
    private static func isNamed(_ name: String, _ variable: UnsafePointer<CChar>) -> Bool {
        let count = name.utf8.count
        return strncmp(variable, name, count) == 0 && variable[count] == CChar(bitPattern: UInt8(ascii: "="))
    }
}
