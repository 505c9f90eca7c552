internal import Glibc

/// A null-terminated array of C strings, as `argv` and `envp` are passed.
struct CStringList: ~Copyable {
    private var storage: [UnsafeMutablePointer<CChar>?] = [nil]

    init() {}

    init(_ strings: [String]) {
        for string in strings {
            string.withCString { append($0) }
        }
    }

    deinit {
        for pointer in storage {
            free(pointer)
        }
    }

    /// Adds a copy of a C string, which need not be UTF-8.
    mutating func append(_ string: UnsafePointer<CChar>) {
        storage.insert(strdup(string), at: storage.count - 1)
    }

    borrowing func withUnsafePointer<R>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        storage.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("holds at least the terminator")
            }
            return body(base)
        }
    }

    /// The list with one string more, which is kept for the time of the call.
    borrowing func withUnsafePointer<R>(
        adding extra: String,
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        extra.withCString { text in
            var longer = storage
            // The strings are only read: the pointer is mutable because the lists of C are.
            longer.insert(UnsafeMutablePointer(mutating: text), at: longer.count - 1)
            return longer.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else {
                    preconditionFailure("holds at least the terminator")
                }
                return body(base)
            }
        }
    }
}
