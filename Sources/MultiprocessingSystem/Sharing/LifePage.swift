internal import CMultiprocessing
internal import Glibc
internal import Synchronization

/// What the processes of a tree know of one another: who is alive, and that somebody has died.
///
/// One page of shared memory for the whole tree: a process that is no worker makes it when it first starts a worker
/// or shares something, and every worker gets it at its start. Each process has a number in it that is never given
/// again, and holds a lock on the byte of that number: of an open file description of its own, so that the kernel
/// lets go of it when the last thread has ended and no code of the process runs any more. Whoever reaps a process
/// writes down its number as dead, counts a death, and wakes all who sleep on that count.
///
/// A death that nobody counts, as that of a process whose parent is gone, shows by the lock alone.
package final class LifePage: Sendable {
    /// Numbers are below: a lock's word has 28 bits for its owner.
    package static let numberLimit: UInt32 = 1 << 28

    private enum Layout {
        static let deaths = 0
        static let next = 64
        static let dead = 128
        static let slots = 1 << 16
        static let processes = dead + 4 * slots
        static let size = processes + 4 * slots
        /// Behind all that the file could ever hold: a lock needs no byte under it.
        static let locks: Int64 = 1 << 40
    }

    /// The description that workers get; it holds no lock.
    private let pages: SharedPages

    /// The description that holds the lock: never passed on, and let go of by processes that are forked off.
    private let own: FileDescriptor

    /// The number of this process, from 1.
    package let number: UInt32

    /// How many deaths have been counted; changes with each, and then wakes all who sleep on it.
    package let deaths: FutexWord

    private let origin = ForkMark()

    /// Owner and deaths of the last question that was answered by "alive".
    private let lastAlive = Atomic<UInt64>(0)

    private static let shared = Mutex<LifePage?>(nil)

    /// This process's page; made by the first who asks, and joined anew in a process that was forked off.
    ///
    /// - Throws: If the system is out of descriptors or memory, `/proc` is not there, or the tree has had
    ///   ``numberLimit`` processes (`EUSERS`).
    package static var current: LifePage {
        get throws(SystemError) {
            try shared.withLock { page throws(SystemError) in
                if let page, !page.origin.isElsewhere { return page }
                let pages: SharedPages
                if let page { pages = page.pages } else { pages = try makePages() }
                let new = try LifePage(pages)
                page = new
                mp_set_life_number(new.number)
                return new
            }
        }
    }

    /// This process's page, if it has one.
    package static var existing: LifePage? {
        guard mp_get_life_number() != 0 else { return nil }
        return shared.withLock { $0 }
    }

    /// The number of this process in its tree; 0 if it has no page.
    package static var number: UInt32 { mp_get_life_number() }

    /// Makes the page that this worker was given its own; called before any code of the user runs.
    package static func join(_ descriptor: consuming FileDescriptor) throws(SystemError) {
        let pages = try SharedPages(mapping: descriptor)
        guard pages.count >= Layout.size else { throw SystemError(.invalidArgument, "the life page's size") }
        let page = try LifePage(pages)
        shared.withLock { $0 = page }
        mp_set_life_number(page.number)
    }

    /// Joins a tree: takes a number, and the lock on it.
    ///
    /// Apart from ``current``, which all code uses, a test can be several processes in one.
    package init(_ pages: SharedPages) throws(SystemError) {
        let raw = pages.descriptor.number.rawValue
        let path = "/proc/self/fd/\(raw)"
        let own = FileDescriptor(
            adopting: try systemCall("open \(path)") { Glibc.open(path, O_RDWR | O_CLOEXEC) })
        guard let start = pages.bytes.baseAddress else { throw SystemError(.invalidArgument, "mmap") }
        deaths = FutexWord(start + Layout.deaths)
        let next = FutexWord(start + Layout.next)
        // Looked at first, so that many refused ones do not carry it round to numbers that were given.
        guard next.load() < Self.numberLimit - 1 else { throw Self.tooMany }
        let number = next.add(1) + 1
        guard number < Self.numberLimit else { throw Self.tooMany }
        let ownNumber = own.number.rawValue
        try systemCall("fcntl(F_OFD_SETLK)") { mp_lock_byte(ownNumber, Layout.locks + Int64(number)) }
        self.pages = pages
        self.own = own
        self.number = number
        slot(Layout.processes, number).store(UInt32(bitPattern: getpid()))
        ForkMark.keep(self.own.number)
    }

    deinit {
        ForkMark.release(own.number)
    }

    private static let tooMany = SystemError(.tooManyProcesses, "the numbers of a tree's processes")

    /// Makes the page of a tree in which nobody is yet.
    package static func makePages() throws(SystemError) -> SharedPages {
        try SharedPages(size: Layout.size, name: "multiprocessing-life")
    }

    /// What a worker is given, for ``join(_:)``.
    package var descriptor: DescriptorNumber { pages.descriptor.number }

    /// The number that the next process to join gets, less one.
    package var lastNumber: UInt32 { nextWord.load() }

    private var nextWord: FutexWord { FutexWord(base + Layout.next) }

    private var base: UnsafeMutableRawPointer { deaths.address - Layout.deaths }

    private func slot(_ table: Int, _ number: UInt32) -> FutexWord {
        FutexWord(base + table + 4 * Int(number % UInt32(Layout.slots)))
    }

    /// Has the next process that joins get a number far ahead, for tests of the limit.
    package func skipNumbers(to last: UInt32) { nextWord.store(last) }

    // MARK: Who is alive

    /// Whether the process with a number may still run code; `true` also where the kernel does not say.
    ///
    /// A system call of 1.5 µs, or of tens of microseconds with thousands of processes: not for a path that is taken
    /// often.
    package func isAlive(_ number: UInt32) -> Bool {
        if number == self.number { return true }
        if slot(Layout.dead, number).load() == number { return false }
        return mp_is_byte_locked(own.number.rawValue, Layout.locks + Int64(number)) != 0
    }

    /// The same, with an answer that was right when so many deaths had been counted.
    package func wasAlive(_ number: UInt32, deaths: UInt32) -> Bool {
        let question = UInt64(number) << 32 | UInt64(deaths)
        if lastAlive.load(ordering: .relaxed) == question { return true }
        guard isAlive(number) else { return false }
        lastAlive.store(question, ordering: .relaxed)
        return true
    }

    /// The process id that a number belonged to, for messages; `nil` when it is not known any more.
    package func processID(of number: UInt32) -> Int32? {
        let id = Int32(bitPattern: slot(Layout.processes, number).load())
        guard id > 0, lastNumber &- number < UInt32(Layout.slots) else { return nil }
        return id
    }

    // MARK: Deaths

    /// Writes down as dead who had a process id, and wakes all who sleep in the tree.
    ///
    /// - Parameters:
    ///   - id: Of a child that has ended and that nobody has reaped, or that was reaped after `numbers` was taken.
    ///   - numbers: Those that it can have been given.
    package func announceEnd(of id: ProcessID, among numbers: ClosedRange<UInt32>) {
        let wanted = UInt32(bitPattern: id.rawValue)
        // Older ones are not in the table any more.
        let recent = numbers.upperBound > UInt32(Layout.slots) ? numbers.upperBound - UInt32(Layout.slots) + 1 : 1
        var number = max(numbers.lowerBound, recent)
        while number <= numbers.upperBound {
            if number != self.number, slot(Layout.processes, number).load() == wanted {
                slot(Layout.dead, number).store(number)
            }
            number += 1
        }
        announceDeath()
    }

    /// Wakes all who sleep in the tree, so that they look again who is alive.
    package func announceDeath() {
        deaths.add(1)
        deaths.wakeAll()
    }
}
