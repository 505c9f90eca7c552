internal import CMultiprocessing

/// The descriptors that came with a message, in the order in which they were sent.
///
/// It owns them: those that nobody has taken are closed with it.
package struct ReceivedDescriptors: ~Copyable, Sendable {
    private var numbers: [DescriptorNumber] = []
    private var taken = 0

    /// Whether some were lost because this process has no room for more descriptors.
    ///
    /// The kernel says so only here: the bytes of the message arrive all the same.
    package private(set) var areIncomplete = false

    package init() {}

    deinit {
        for number in numbers[taken...] {
            FileDescriptor(adopting: number).close()
        }
    }

    /// How many are left to be taken.
    package var count: Int { numbers.count - taken }

    /// Hands out the next one.
    package mutating func takeFirst() -> FileDescriptor? {
        guard taken < numbers.count else {
            return nil
        }
        defer { taken += 1 }
        return FileDescriptor(adopting: numbers[taken])
    }

    mutating func append(_ raw: UnsafeBufferPointer<Int32>, areIncomplete: Bool) {
        numbers += raw.map { DescriptorNumber(rawValue: $0) }
        self.areIncomplete = self.areIncomplete || areIncomplete
    }
}
