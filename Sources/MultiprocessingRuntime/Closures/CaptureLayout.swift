/// Where each capture lies in a box: one after another, each aligned for its type.
struct CaptureLayout {
    /// What one capture is.
    enum Element {
        /// A value of this type.
        case value(Any.Type)
        /// A function: its code and its context.
        case function(isAsync: Bool)

        package var size: Int {
            switch self {
            case .value(let type): ValueWitness(type).size
            case .function: MemoryLayout<(UInt, UInt)>.size
            }
        }

        package var alignment: Int {
            switch self {
            case .value(let type): ValueWitness(type).alignment
            case .function: MemoryLayout<UInt>.alignment
            }
        }
    }

    let elements: [Element]
    private(set) var offsets: [Int] = []
    private(set) var size: Int
    private(set) var alignmentMask = MemoryLayout<UInt>.alignment - 1

    /// - Parameter start: Where the first capture may begin: after the header and the bindings.
    init(_ elements: [Element], from start: Int) {
        self.elements = elements
        size = start
        for element in elements {
            let mask = element.alignment - 1
            offsets.append((size + mask) & ~mask)
            size = offsets[offsets.count - 1] + element.size
            alignmentMask |= mask
        }
    }

    /// Whether an allocation of `usable` bytes can have been made for this layout.
    ///
    /// Allocators round up, each in its own way, but not without limit.
    func fits(usable: Int) -> Bool {
        usable >= size && usable <= 2 * size + 64 + alignmentMask
    }
}

/// What the runtime knows about the values of a type that is known only at run time.
package struct ValueWitness {
    private let type: Any.Type

    package init(_ type: Any.Type) {
        self.type = type
    }

    package var size: Int {
        func size<Value>(_: Value.Type) -> Int { MemoryLayout<Value>.size }
        return _openExistential(type, do: size)
    }

    package var alignment: Int {
        func alignment<Value>(_: Value.Type) -> Int { MemoryLayout<Value>.alignment }
        return _openExistential(type, do: alignment)
    }

    /// Whether a value is nothing but its bits, with no reference in it.
    package var isTrivial: Bool {
        func isTrivial<Value>(_: Value.Type) -> Bool { _isPOD(Value.self) }
        return _openExistential(type, do: isTrivial)
    }

    /// The type of arrays of this type.
    package var array: Any.Type {
        func array<Value>(_: Value.Type) -> Any.Type { [Value].self }
        return _openExistential(type, do: array)
    }

    /// Destroys the value of this type at `pointer`.
    package func destroy(at pointer: UnsafeMutableRawPointer) {
        func destroy<Value>(_: Value.Type) { pointer.assumingMemoryBound(to: Value.self).deinitialize(count: 1) }
        _openExistential(type, do: destroy)
    }
}
