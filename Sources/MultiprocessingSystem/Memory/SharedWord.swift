internal import CMultiprocessing

/// A 64-bit atomic number at a place in memory that processes share.
///
/// Loads acquire, stores release, and the others do both. It does not keep the memory mapped.
package struct SharedWord: @unchecked Sendable {
    // Sendable: every access to what it points to is atomic.
    package let address: UnsafeMutableRawPointer

    /// - Parameter offset: In bytes from the start of the memory; a multiple of eight.
    package init(_ memory: SharedPages, at offset: Int) {
        precondition(offset >= 0 && offset % 8 == 0 && offset <= memory.count - 8, "a word of the memory")
        address = memory.bytes.baseAddress.unsafelyUnwrapped + offset
    }

    /// - Parameter address: In memory that is mapped as shared; a multiple of eight.
    package init(_ address: UnsafeMutableRawPointer) {
        precondition(Int(bitPattern: address) % 8 == 0, "a word of 64 bits")
        self.address = address
    }

    package func load() -> UInt64 {
        mp_load_acquire_u64(address)
    }

    package func store(_ value: UInt64) {
        mp_store_release_u64(address, value)
    }

    /// Adds with wrap-around and returns the value from before.
    @discardableResult
    package func add(_ value: UInt64) -> UInt64 {
        mp_fetch_add_u64(address, value)
    }

    /// Stores `desired` if the value is `expected`; returns the value from before either way.
    package func compareExchange(
        expected: UInt64,
        desired: UInt64
    ) -> (exchanged: Bool, original: UInt64) {
        var original = expected
        let exchanged = mp_cas_u64(address, &original, desired)
        return (exchanged, original)
    }
}
