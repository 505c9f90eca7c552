import Testing

@testable import Multiprocessing

/// Which asynchronous inputs wait for others, and for how long.
struct InputGroupTests {
    private static func group(askedFor time: UInt64) -> InputGroup<Int> {
        var group = InputGroup<Int>()
        group.noteAsking(time)
        return group
    }

    @Test("Inputs that are there wait for one another until there are enough")
    func full() {
        var group = Self.group(askedFor: 1_000)
        for number in 0..<9 {
            let fate = group.add(number, size: 10, now: 1_000 + UInt64(number) * 700)
            #expect(fate == .waits)
        }
        let fate = group.add(9, size: 10, now: 8_000)
        #expect(fate == .goes)
        let taken = group.take()
        #expect(taken == Array(0..<10))
        #expect(group.isEmpty)
    }

    @Test("An input that had to be waited for does not wait itself")
    func alone() {
        var group = Self.group(askedFor: 0)
        var fate = group.add(1, size: 10, now: 3_000)
        #expect(fate == .goesIfWanted)
        fate = group.add(2, size: 10, now: 3_500)
        #expect(fate == .waits)
        fate = group.add(3, size: 10, now: 20_000)
        #expect(fate == .goesIfWanted)
    }

    @Test("After many that were there, some that come a little later are taken for such too, and others never")
    func disturbed() {
        var group = Self.group(askedFor: 0)
        var now: UInt64 = 0
        var fates: [InputGroup<Int>.Fate] = []
        func add(after time: UInt64) {
            now += time
            fates.append(group.add(0, size: .max, now: now))
        }
        for _ in 0..<16 { add(after: 100) }
        for _ in 0..<3 { add(after: 5_000) }
        #expect(fates == Array(repeating: .waits, count: 18) + [.goesIfWanted])
        fates = []
        for _ in 0..<100 { add(after: 100) }
        _ = group.take()
        add(after: 500_000)
        #expect(fates.last == .goesIfWanted)
        #expect(fates.dropLast().allSatisfy { $0 == .waits })
    }

    @Test("The first of many waits for a time, and the last until nothing more comes")
    func patience() {
        var group = Self.group(askedFor: 0)
        var now: UInt64 = 0
        while group.add(0, size: .max, now: now) == .waits { now += 1_000 }
        #expect(now == 200_000)
        _ = group.take()

        group.noteAsking(now)
        _ = group.add(0, size: .max, now: now)
        #expect(!group.isOverdue(now + 19_999))
        #expect(group.isOverdue(now + 20_000))
        _ = group.add(0, size: .max, now: now + 1_000)
        #expect(!group.isOverdue(now + 20_999))
        // Read before the input came, by another thread.
        #expect(!group.isOverdue(now))
    }
}
