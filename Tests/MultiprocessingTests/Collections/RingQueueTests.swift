import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct RingQueueTests {
    @Test func `Elements leave in the order in which they came`() {
        var queue = RingQueue<Int>()
        for number in 0..<1_000 { queue.append(number) }
        #expect(queue.count == 1_000)
        #expect(queue[0] == 0)
        #expect(queue[999] == 999)
        for number in 0..<1_000 { #expect(queue.popFirst() == number) }
        #expect(queue.isEmpty)
        #expect(queue.popFirst() == nil)
    }

    @Test func `An element that is returned to the front leaves first`() {
        var queue = RingQueue<Int>()
        queue.prepend(1)
        queue.append(2)
        queue.prepend(0)
        #expect((0..<3).map { queue[$0] } == [0, 1, 2])
    }

    @Test func `Elements are let go when they leave`() {
        final class Element: Sendable {}
        var queue = RingQueue<Element>()
        weak var seen: Element?
        do {
            let element = Element()
            seen = element
            queue.append(element)
        }
        #expect(seen != nil)
        _ = queue.popFirst()
        #expect(seen == nil)
    }

    @Test func `It agrees with an array whatever is done to it`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        var queue = RingQueue<Int>()
        var model: [Int] = []
        for step in 0..<20_000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                queue.append(step)
                model.append(step)
            case 2:
                queue.prepend(step)
                model.insert(step, at: 0)
            default:
                let expected = model.isEmpty ? nil : model.removeFirst()
                guard queue.popFirst() == expected else {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
        }
        #expect(queue.count == model.count, "seed \(seed)")
        #expect(model.indices.allSatisfy { queue[$0] == model[$0] }, "seed \(seed)")
    }
}
