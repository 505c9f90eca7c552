/// A function's code by its place in the executable or a library.
package struct CodeReference: Hashable, Sendable {
    private let address: ImageAddress
    /// Whether ``address`` is that of an async function pointer.
    package let isAsync: Bool

    /// Names the code of `words`; what they capture is not part of the reference.
    package init(codeOf words: FunctionWords) throws(NotPortable) {
        isAsync = words.isAsync
        guard let pointer = UnsafeRawPointer(bitPattern: words.code) else {
            throw NotPortable("the closure has no code")
        }
        do {
            if words.isAsync {
                address = try ImageAddress(pointer, count: Self.asyncPointerSize, content: .data)
            } else {
                address = try ImageAddress(pointer, content: .code)
            }
        } catch {
            throw NotPortable("the closure's code cannot be named in another process: \(error.reason)")
        }
        guard try resolve(context: nil).code == words.code else {
            throw NotPortable(
                "the closure's code cannot be named in another process: its name does not lead back to it")
        }
    }

    /// Finds the function in this process, and gives it `context` as its captures.
    package func resolve(context: UnsafeRawPointer?) throws(NotPortable) -> FunctionWords {
        let pointer: UnsafeRawPointer
        if isAsync {
            pointer = try address.resolve(count: Self.asyncPointerSize, content: .data)
            // `AsyncFunctionPointer` in include/swift/ABI/Task.h: the code's address relative to
            // this field, then the size of the frame that it needs.
            guard UInt(bitPattern: pointer) % 4 == 0 else { throw .damaged("an async function pointer is misaligned") }
            let code = pointer + Int(pointer.load(as: Int32.self))
            guard ImageTable.isMapped(code, count: 1, content: .code) else {
                throw .damaged("an async function pointer leads to no code")
            }
        } else {
            pointer = try address.resolve(content: .code)
        }
        return FunctionWords(code: UInt(bitPattern: pointer), retaining: context, isAsync: isAsync)
    }

    private static let asyncPointerSize = 8
}

extension CodeReference {
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(isAsync ? 1 : 0)
        address.encode(into: &bytes)
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        switch try reader.readByte() {
        case 0: isAsync = false
        case 1: isAsync = true
        default: throw .damaged("a function is of an unknown kind")
        }
        address = try ImageAddress(decoding: &reader)
    }
}
