internal import Synchronization

/// How a class is named so that the other side finds it.
///
/// What can be named, and how it is found, depends on the two processes; so who has them provides it.
package struct ClassNaming: Sendable {
    /// The bytes that name a class, fewer than 65,536.
    let name: @Sendable (Any.Type) throws -> [UInt8]

    /// The class that the bytes name, which are not trusted.
    let type: @Sendable ([UInt8]) throws -> Any.Type

    package init(
        name: @escaping @Sendable (Any.Type) throws -> [UInt8],
        type: @escaping @Sendable ([UInt8]) throws -> Any.Type
    ) {
        self.name = name
        self.type = type
    }

    private static let installed = Mutex<ClassNaming?>(nil)

    /// Has all coders of this process use a naming, from now on.
    package static func install(_ naming: ClassNaming) {
        installed.withLock { $0 = naming }
    }

    static var current: ClassNaming? { installed.withLock { $0 } }
}
