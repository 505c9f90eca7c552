import MultiprocessingSystem

/// The secret by which a ``ManagerServer`` and those who connect to it know each other.
///
/// It is never sent. Both ends prove that they have it by HMAC-SHA-256 over challenges of both, before anything of a
/// connection is decoded. Whoever has it can call what the server offers: keep it in a file that only its user can read.
///
/// ```swift
/// let key = try ManagerKey(contentsOf: "/etc/registry/key")
/// ```
public struct ManagerKey: Sendable {
    let bytes: [UInt8]

    /// The fewest bytes of a key.
    public static let minimumSize = 16

    /// Makes a key of bytes.
    ///
    /// - Parameter bytes: At least 16, which nobody can guess: what a random generator has made, and no password.
    /// - Throws: ``PoolError/Code/invalidArgument`` for fewer.
    public init(_ bytes: some Sequence<UInt8>) throws {
        self.bytes = Array(bytes)
        guard self.bytes.count >= Self.minimumSize else {
            throw PoolError.invalidArgument(
                "key", self.bytes.count,
                "a key has at least \(Self.minimumSize) bytes; make one by head -c 32 /dev/urandom, or ManagerKey.random()"
            )
        }
    }

    /// Makes a key of a text's UTF-8, as it is given in a variable of the environment.
    ///
    /// - Parameter text: At least 16 bytes, which nobody can guess.
    /// - Throws: ``PoolError/Code/invalidArgument`` for fewer.
    public init(_ text: String) throws {
        try self.init(text.utf8)
    }

    /// Makes a key of 32 random bytes, from the system's generator.
    public static func random() -> ManagerKey {
        var random = SystemRandomNumberGenerator()
        return ManagerKey(known: (0..<32).map { _ in UInt8.random(in: 0...(.max), using: &random) })
    }

    private init(known bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads a key from a file, all of whose bytes are the key.
    ///
    /// Blocks the calling thread while it reads.
    ///
    /// - Parameter path: A regular file of this process's user, or of root, that no other user can read or write (0600 or
    ///   0400), of at most 4,096 bytes.
    /// - Throws: ``PoolError/Code/invalidArgument`` for another one, with the command that mends it, and for one that
    ///   cannot be read.
    public init(contentsOf path: String) throws {
        let file: KeyFile
        do {
            file = try KeyFile(path)
        } catch {
            throw PoolError(.invalidArgument, "the key cannot be read: \(error)")
        }
        if let problem = file.problem {
            throw PoolError(.invalidArgument, "the key in \(path) is not used, because \(problem)")
        }
        try self.init(file.bytes)
    }
}

extension ManagerKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How long the key is, and nothing of it.
    public var description: String { "a key of \(bytes.count) bytes" }

    /// The same.
    public var debugDescription: String { description }

    /// Nothing, so that a key gets into no log.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
