internal import CMultiprocessing

/// What a child has from the thread that starts it, whatever it was told: rights, limits, scheduling, namespaces.
///
/// A process that was forked off a template has it from the template, so the two have to be the same.
struct Inheritance: Equatable, Sendable {
    private let record: [UInt8]

    /// That of a child that the calling thread would start now.
    ///
    /// - Throws: Where the kernel does not say, because `/proc` is not there.
    static var current: Inheritance {
        get throws(SystemError) {
            // Of that, a program with many supplementary groups needs the most.
            let capacity = 16 << 10
            return Inheritance(
                record: try withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) {
                    buffer throws(SystemError) in
                    let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                    let count = try systemCall("asking what a child inherits") { mp_inheritance(start, capacity) }
                    return Array(buffer.prefix(count))
                })
        }
    }
}
