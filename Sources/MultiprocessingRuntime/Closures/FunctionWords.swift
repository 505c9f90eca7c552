/// What a function value consists of: the address of its code, and its captures.
package struct FunctionWords: Sendable {
    /// The code's address, or for an async function that of its async function pointer.
    package let code: UInt
    /// The captures, or `nil` for a function that captures nothing.
    package var context: UnsafeRawPointer? {
        storage.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }
    }
    /// Whether ``code`` is the address of an async function pointer.
    package let isAsync: Bool

    // Safe: a context is as immutable and as shareable as the @Sendable function it belongs to,
    // and nothing but its reference count is touched through this property.
    nonisolated(unsafe) private let storage: AnyObject?

    /// Takes the function in `box` apart, and keeps its captures alive.
    package init<Box: FunctionBoxing>(of box: Box) {
        precondition(MemoryLayout<Box>.size == MemoryLayout<(UInt, UInt)>.size)
        // Safe: a box stores one thick function, which is the code's address and a reference or zero.
        self = withExtendedLifetime(box) {
            withUnsafeBytes(of: box) { bytes in
                FunctionWords(
                    code: bytes.load(as: UInt.self),
                    retaining: bytes.load(fromByteOffset: 8, as: UnsafeRawPointer?.self),
                    isAsync: Box.isAsync
                )
            }
        }
    }

    /// - Parameter context: A context or `nil`; the words hold a reference to it of their own.
    package init(code: UInt, retaining context: UnsafeRawPointer?, isAsync: Bool) {
        self.code = code
        self.isAsync = isAsync
        storage = context.map { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
    }

    /// How a function value lies in memory: its code's address and one counted reference or zero.
    package typealias Stored = (code: UInt, context: AnyObject?)

    package var stored: Stored { (code, storage) }

    /// Puts a function together again.
    ///
    /// The words must come from a box of the type `Box`, in this process or in another one.
    package func box<Box: FunctionBoxing>(as type: Box.Type = Box.self) -> Box {
        precondition(Box.isAsync == isAsync)
        precondition(MemoryLayout<Box>.size == MemoryLayout<Stored>.size)
        // Safe: both are the code's address and one counted reference or zero.
        return unsafeBitCast(stored, to: Box.self)
    }
}
