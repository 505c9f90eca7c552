package import MultiprocessingSystem
import Synchronization

/// 64 bytes that processes share, on a multiple of 64: a place for what is small, such as a lock.
///
/// They read as zero at first, and belong to nobody else for as long as any process has them. Two words, because a
/// closure whose only capture is a reference has nothing that says what it captures.
@usableFromInline
package struct SharedSlot: @unchecked Sendable {
    // Sendable: what the pointer leads to is kept by the object, and those who use it say how.

    /// The slab that it lies in.
    package let object: SharedObject

    /// Where it lies in this process.
    @usableFromInline package let pointer: UnsafeMutableRawPointer

    @inlinable package static var size: Int { 64 }

    /// How many slots a slab has, the first of which is nobody's.
    static let count = 1_024

    init(_ object: SharedObject, at index: Int) {
        precondition((1..<Self.count).contains(index), "a slot of the slab")
        self.object = object
        pointer = object.pages.unsafelyUnwrapped.bytes.baseAddress.unsafelyUnwrapped + index * Self.size
    }

    /// A place in memory that has its own object.
    package init(_ object: SharedObject, pointer: UnsafeMutableRawPointer) {
        self.object = object
        self.pointer = pointer
    }

    /// Its name, which is that of no other slot and no other object.
    package var id: SharedID {
        SharedID(rawValue: object.id.rawValue + UInt64(index))
    }

    var index: Int {
        (pointer - object.pages.unsafelyUnwrapped.bytes.baseAddress.unsafelyUnwrapped) / Self.size
    }
}

extension SharedSlot: Hashable {
    @usableFromInline package static func == (first: SharedSlot, second: SharedSlot) -> Bool { first.id == second.id }
    @usableFromInline package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension SharedSlot {
    private struct Slab {
        var object: SharedObject
        var used = 1
    }

    private static let slab = Mutex<Slab?>(nil)

    /// Takes a slot that was never used.
    package static func make() throws(SharedStateError) -> SharedSlot {
        try slab.withLock { slab throws(SharedStateError) in
            // A process that was forked off has its own.
            if slab == nil || slab?.used == count || slab?.object.id.creator != LifePage.number {
                let pages = try SharedPages.make(size: count * size, name: "multiprocessing-slots")
                let id = try SharedID.next(UInt64(count))
                slab = Slab(object: .make(id, .slab, pages: pages))
            }
            defer { slab?.used += 1 }
            return SharedSlot(slab.unsafelyUnwrapped.object, at: slab.unsafelyUnwrapped.used)
        }
    }
}

extension SharedPages {
    /// Makes new memory that reads as zero, for something that processes share.
    package static func make(size: Int, name: String) throws(SharedStateError) -> SharedPages {
        do throws(SystemError) {
            return try SharedPages(size: size, name: name)
        } catch {
            throw .system(error)
        }
    }
}
