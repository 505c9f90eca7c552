import MultiprocessingSystem
import Testing

@Suite struct TimerQueueTests {
    @Test func agreesWithASortedList() {
        var random = SystemRandomNumberGenerator()
        var queue = TimerQueue<Int>()
        var model: [(deadline: UInt64, id: UInt64, value: Int)] = []
        for step in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let deadline = UInt64.random(in: 0..<1000, using: &random)
                let id = queue.insert(step, at: MonotonicTime(nanoseconds: deadline))
                model.append((deadline, id, step))
            case 5..<8:
                if let index = model.indices.randomElement(using: &random) {
                    #expect(queue.remove(model[index].id) == model[index].value)
                    #expect(queue.remove(model[index].id) == nil)
                    model.remove(at: index)
                }
            default:
                let now = UInt64.random(in: 0..<1000, using: &random)
                let first = model.indices.min {
                    (model[$0].deadline, model[$0].id) < (model[$1].deadline, model[$1].id)
                }
                #expect(queue.nextDeadline()?.nanoseconds == first.map { model[$0].deadline })
                let due = first.flatMap { model[$0].deadline <= now ? $0 : nil }
                #expect(queue.popDue(at: MonotonicTime(nanoseconds: now)) == due.map { model[$0].value })
                if let due {
                    model.remove(at: due)
                }
            }
            #expect(queue.isEmpty == model.isEmpty)
        }
    }

    @Test func equalDeadlinesKeepTheirOrder() {
        var queue = TimerQueue<Int>()
        let deadline = MonotonicTime(nanoseconds: 5)
        for value in 0..<100 {
            _ = queue.insert(value, at: deadline)
        }
        #expect(queue.popDue(at: MonotonicTime(nanoseconds: 4)) == nil)
        #expect((0..<100).map { _ in queue.popDue(at: deadline) } == (0..<100).map { $0 })
        #expect(queue.nextDeadline() == nil)
    }
}
