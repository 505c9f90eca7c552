/// Numbers that another process has to know of a shared object.
struct SharedDetails {
    let numbers: [UInt64]

    init(_ numbers: [UInt64]) {
        self.numbers = numbers
    }

    /// - Throws: If there are not so many.
    init(of object: SharedObject, count: Int) throws(SharedStateError) {
        guard object.details.count == count * 8 else {
            throw SharedStateError(.damaged, "a handle came of which a part is missing; make a new one")
        }
        numbers = object.details.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }

    var bytes: [UInt8] { numbers.withUnsafeBytes { Array($0) } }
}
