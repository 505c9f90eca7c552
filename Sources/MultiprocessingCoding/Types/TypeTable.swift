internal import Synchronization

/// What is known about each type that has been encoded or decoded in this process.
///
/// Looking a type up takes no lock and a few loads, on any thread. Records are made once
/// and never freed: there are as many as the program has types.
final class TypeTable<Record: Sendable>: Sendable {
    /// One place of the hash table; `type` is zero while it is free.
    private struct Slot: ~Copyable {
        let type = Atomic<UInt>(0)
        let record = Atomic<UInt>(0)
    }

    private struct Slots {
        let mask: UInt
        let first: UnsafeMutablePointer<Slot>

        init(capacity: Int) {
            mask = UInt(capacity - 1)
            first = .allocate(capacity: capacity)
            for index in 0..<capacity { (first + index).initialize(to: Slot()) }
        }

        /// Metadata is aligned, so its low bits say nothing.
        @inline(__always)
        func home(of type: UInt) -> UInt { ((type &>> 4) ^ (type &>> 13)) & mask }

        /// Stores the record before the type, because readers look at the type first.
        func insert(_ type: UInt, _ record: UInt) {
            var index = home(of: type)
            while first[Int(index)].type.load(ordering: .relaxed) != 0 { index = (index &+ 1) & mask }
            first[Int(index)].record.store(record, ordering: .relaxed)
            first[Int(index)].type.store(type, ordering: .releasing)
        }
    }

    /// The address of the slots in use.
    private let current: Atomic<UInt>
    private let used = Mutex(0)

    init() {
        current = Atomic(UInt(bitPattern: Self.makeSlots(capacity: 256)))
    }

    /// The record of `type`, which `make` provides the first time.
    @inline(__always)
    func record(of type: Any.Type, make: () -> Record) -> UnsafePointer<Record> {
        // A metatype is the address of the type's metadata, which is never freed.
        let address = unsafeBitCast(type, to: UInt.self)
        if let record = find(address) { return record }
        return add(address, make())
    }

    private var slots: UnsafePointer<Slots> {
        // The address is never that of freed memory, nor zero.
        @inline(__always) get { UnsafePointer(bitPattern: current.load(ordering: .acquiring)).unsafelyUnwrapped }
    }

    @inline(__always)
    private func find(_ type: UInt) -> UnsafePointer<Record>? {
        let slots = slots.pointee
        var index = slots.home(of: type)
        while true {
            let found = slots.first[Int(index)].type.load(ordering: .acquiring)
            if found == type {
                return UnsafePointer(bitPattern: slots.first[Int(index)].record.load(ordering: .relaxed))
            }
            if found == 0 { return nil }
            index = (index &+ 1) & slots.mask
        }
    }

    @inline(never)
    private func add(_ type: UInt, _ record: Record) -> UnsafePointer<Record> {
        used.withLock { used in
            if let record = find(type) { return record }
            let place = UnsafeMutablePointer<Record>.allocate(capacity: 1)
            place.initialize(to: record)
            var slots = self.slots
            used += 1
            if used * 2 > Int(slots.pointee.mask) {
                // Readers may still walk the old slots, so those are left to them.
                let old = slots.pointee
                slots = Self.makeSlots(capacity: Int(old.mask + 1) * 2)
                for index in 0...Int(old.mask) {
                    let type = old.first[index].type.load(ordering: .relaxed)
                    if type != 0 { slots.pointee.insert(type, old.first[index].record.load(ordering: .relaxed)) }
                }
                current.store(UInt(bitPattern: slots), ordering: .releasing)
            }
            slots.pointee.insert(type, UInt(bitPattern: place))
            return UnsafePointer(place)
        }
    }

    private static func makeSlots(capacity: Int) -> UnsafePointer<Slots> {
        let slots = UnsafeMutablePointer<Slots>.allocate(capacity: 1)
        slots.initialize(to: Slots(capacity: capacity))
        return UnsafePointer(slots)
    }
}

/// What a type's metadata says about its kind.
enum MetadataKind {
    static let object: UInt = 0
    static let structure: UInt = 0x200
    static let enumeration: UInt = 0x201

    /// The first word of the metadata, which for value types is one of a few constants.
    static func of(_ type: Any.Type) -> UInt {
        // A metatype is the address of the type's metadata, and every metadata has a kind.
        unsafeBitCast(type, to: UnsafePointer<UInt>.self).pointee
    }
}
