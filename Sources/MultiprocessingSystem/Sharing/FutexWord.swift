internal import CMultiprocessing

/// A 32-bit atomic number that processes share and sleep on.
///
/// Loads acquire, stores release, and the others do both. It does not keep the memory mapped.
package struct FutexWord: Hashable, @unchecked Sendable {
    // Sendable: every access to what it points to is atomic.
    package let address: UnsafeMutableRawPointer

    /// - Parameter address: In memory that is mapped as shared; a multiple of four.
    package init(_ address: UnsafeMutableRawPointer) {
        precondition(Int(bitPattern: address) % 4 == 0, "a word of 32 bits")
        self.address = address
    }

    package func load() -> UInt32 { mp_load_acquire_u32(address) }

    package func store(_ value: UInt32) { mp_store_release_u32(address, value) }

    /// Adds with wrap-around and returns the value from before.
    @discardableResult
    package func add(_ value: UInt32) -> UInt32 { mp_fetch_add_u32(address, value) }

    /// Stores `desired` if the value is `expected`; returns whether it was, and the value from before either way.
    package func compareExchange(expected: UInt32, desired: UInt32) -> (exchanged: Bool, original: UInt32) {
        var original = expected
        let exchanged = mp_cas_u32(address, &original, desired)
        return (exchanged, original)
    }

    /// Wakes up to `count` sleepers, of any process.
    package func wake(_ count: Int32) { _ = mp_futex_wake(address, count) }

    /// Wakes a sleeper of any process; returns whether there was one.
    package func wakeOne() -> Bool { mp_futex_wake(address, 1) > 0 }

    /// Wakes all sleepers.
    package func wakeAll() { wake(.max) }
}
