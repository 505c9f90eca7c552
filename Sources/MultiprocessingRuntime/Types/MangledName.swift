/// A mangled name in a constant of the executable, which may hold symbolic references.
///
/// docs/ABI/Mangling.rst: a byte from 0x01 to 0x17 is followed by four bytes, one from 0x18 to
/// 0x1F by a pointer; only a zero byte outside of these ends the name.
package struct MangledName {
    package let bytes: UnsafeBufferPointer<UInt8>

    package init(_ bytes: Slice<UnsafeRawBufferPointer>) {
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes).assumingMemoryBound(to: UInt8.self)
    }

    package init(_ start: UnsafeRawPointer) {
        var end = start
        while true {
            let byte = end.load(as: UInt8.self)
            if byte == 0 { break }
            end += byte < 0x18 ? 5 : byte < 0x20 ? 9 : 1
        }
        bytes = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: end - start)
    }

    /// The name as text; meaningless where it holds symbolic references.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The type of this name.
    ///
    /// - Parameters:
    ///   - context: The descriptor whose generic parameters the name may mention.
    ///   - arguments: The words that a metadata record of that descriptor stores for them.
    package func resolve(context: UnsafeRawPointer? = nil, arguments: UnsafeRawPointer? = nil) -> Any.Type? {
        guard let start = bytes.baseAddress else { return nil }
        return _getTypeByMangledNameInContext(
            start,
            UInt(bytes.count),
            genericContext: context,
            genericArguments: arguments
        )
    }
}
