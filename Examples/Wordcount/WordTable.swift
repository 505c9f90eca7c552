import Glibc

/// Words and how often they occur; a hash table that never makes a `String` of a word.
///
/// A dictionary of strings would do, at a quarter of the speed. What is encoded is three
/// arrays of numbers, which travel between processes as they lie in memory.
struct WordTable: Codable {
    /// All words, one after another, in the order in which they were met.
    private var letters: [UInt8] = []
    /// Where each word ends in `letters`.
    private var ends: [Int] = []
    /// How often each word occurs.
    private(set) var counts: [Int] = []

    /// The numbers of words, each at or behind the place that its hash names; -1 is free.
    private var slots: [Int32] = []

    private enum CodingKeys: CodingKey {
        case letters
        case ends
        case counts
    }

    /// Adds to the count of a word.
    mutating func add(_ word: UnsafeRawBufferPointer, count: Int = 1) {
        if slots.count < 2 * (counts.count + 1) { grow() }
        let slot = slot(of: word)
        if slots[slot] >= 0 {
            counts[Int(slots[slot])] += count
            return
        }
        slots[slot] = Int32(counts.count)
        letters.append(contentsOf: word)
        ends.append(letters.count)
        counts.append(count)
    }

    /// Adds the counts of another table.
    mutating func add(_ other: WordTable) {
        other.forEach { word, count in add(word, count: count) }
    }

    /// Calls a closure with each word, which is valid for the call, and its count.
    func forEach(_ body: (UnsafeRawBufferPointer, Int) -> Void) {
        letters.withUnsafeBytes { letters in
            for word in counts.indices {
                body(UnsafeRawBufferPointer(rebasing: letters[range(of: word)]), counts[word])
            }
        }
    }

    private func range(of word: Int) -> Range<Int> {
        (word == 0 ? 0 : ends[word - 1])..<ends[word]
    }

    /// Where a word is, or is to be put.
    ///
    /// The search ends because a table is never full.
    private func slot(of word: UnsafeRawBufferPointer) -> Int {
        letters.withUnsafeBytes { letters in
            var slot = Self.hash(word) & (slots.count - 1)
            while slots[slot] >= 0 {
                let range = range(of: Int(slots[slot]))
                if range.count == word.count,
                    memcmp(letters.baseAddress! + range.lowerBound, word.baseAddress!, word.count) == 0
                {
                    break
                }
                slot = (slot + 1) & (slots.count - 1)
            }
            return slot
        }
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: max(1_024, 2 * slots.count))
        while slots.count < 4 * counts.count { slots += slots }
        var number: Int32 = 0
        forEach { word, _ in
            slots[slot(of: word)] = number
            number += 1
        }
    }

    /// FNV-1a, with the better mixed upper bits folded into the lower.
    private static func hash(_ word: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
