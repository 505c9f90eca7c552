import TestSupport
import Testing

@testable import Multiprocessing

@Suite("Where a queue's items go", .admitted)
struct QueueShapeTests {
    @Test("A cursor keeps its parts, and counts begin again when they are full")
    func cursor() {
        for items: UInt64 in [0, 1, 1 << 24 - 1] {
            for segment in [0, 1, 19] {
                for position: UInt64 in [0, 1, 1 << 34 - 1] {
                    let cursor = QueueCursor(items: items, segment: segment, position: position)
                    #expect(cursor.segment == segment && cursor.position == position && !cursor.isClosed)
                    #expect(cursor.closing.isClosed && cursor.closing.place == cursor)
                    let next = cursor.behindItem(units: 3)
                    #expect(next.segment == segment && next.items(since: cursor) == 1)
                    #expect(next.unitsInUse(since: cursor) == 3)
                    #expect(cursor.closing.behindItem(units: 3).isClosed)
                    #expect(next.entering(2).position == 0 && next.entering(2).items(since: cursor) == 1)
                }
            }
        }
    }

    @Test("Segments lie one behind another and stay within the limit")
    func segments() {
        for limit in [1, 1 << 18, 3 << 18, 1 << 22, 1 << 30, Int.max] {
            let shape = QueueShape(capacity: nil, byteLimit: limit)
            var end = QueueShape.headSize
            for segment in 0..<shape.segmentCount {
                #expect(shape.offset(of: segment) == end)
                end += shape.size(of: segment)
            }
            #expect(end - QueueShape.headSize <= max(limit, 1 << 18))
            #expect(shape.leaseOffset(0) == end)
            #expect(shape.fileSize > end && shape.fileSize % 4_096 == 0)
            #expect(QueueShape(segmentCount: shape.segmentCount, capacity: shape.capacity) == shape)
        }
        #expect(QueueShape(segmentCount: 0, capacity: 1) == nil)
        #expect(QueueShape(segmentCount: 1, capacity: 0) == nil)
    }

    /// Follows many sends and receives of random sizes: what lies in a segment never meets what has not been received,
    /// and receivers find every item where it was put.
    @Test("Items never meet, and are found where they were put")
    func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource(seed: seed)
        for shape in [QueueShape(capacity: nil, byteLimit: 1 << 20), QueueShape(capacity: 7, byteLimit: 1 << 22)] {
            var model = QueueModel(shape: shape)
            for _ in 0..<60_000 {
                let size = Int.random(in: 0..<10, using: &random) == 0 ? shape.largestItem : 40_000
                if Int.random(in: 0..<100, using: &random) < model.sendShare {
                    model.send(units: QueueShape.units(for: Int.random(in: 0...size, using: &random)))
                } else {
                    model.receive()
                }
                if Int.random(in: 0..<500, using: &random) == 0 {
                    model.sendShare = [10, 50, 90].randomElement(using: &random)!
                }
                if Int.random(in: 0..<50, using: &random) == 0 { model.goBack() }
            }
            while !model.items.isEmpty { model.receive() }
            #expect(model.faults == [], "seed \(seed)")
            #expect(model.switches > 20 && model.sent > 1_000, "seed \(seed)")
        }
    }
}

/// A queue without memory: which units of which segment are whose.
private struct QueueModel {
    struct Item: Hashable {
        let segment: Int
        let position: UInt64
        let units: UInt64
    }

    let shape: QueueShape
    var tail = QueueCursor(rawValue: 0)
    var head = QueueCursor(rawValue: 0)
    var items: [Item] = []
    /// Where the senders left a segment, and where to.
    var leads: [(from: QueueCursor, to: Int)] = []
    var faults: Set<String> = []
    var switches = 0
    var sent = 0
    var sendShare = 50

    init(shape: QueueShape) { self.shape = shape }

    mutating func send(units: UInt64) {
        var place = tail
        switch shape.place(units, tail: tail, head: head) {
        case .full:
            if items.isEmpty { faults.insert("full though empty") }
            return
        case .here: break
        case .segment(let next):
            check(Item(segment: tail.segment, position: tail.position, units: 1))
            leads.append((tail, next))
            place = tail.entering(next)
            switches += 1
            if items.contains(where: { $0.segment == next }) || leads.contains(where: { $0.from.segment == next }) {
                faults.insert("a segment in use was entered")
            }
        }
        let item = Item(segment: place.segment, position: place.position, units: units)
        check(item)
        items.append(item)
        tail = place.behindItem(units: units)
        sent += 1
        if items.count > shape.capacity { faults.insert("more than the capacity") }
        if tail.items(since: head) != items.count { faults.insert("counted wrong") }
        if !shape.isPlausible(tail: tail, head: head) { faults.insert("not plausible") }
    }

    private mutating func check(_ new: Item) {
        let size = shape.units(of: new.segment)
        if new.units > size { faults.insert("larger than its segment") }
        for item in items where item.segment == new.segment {
            let distance = (new.position &- item.position) & (1 << 34 - 1)
            if distance < item.units || distance + new.units > size { faults.insert("two items meet") }
        }
    }

    mutating func receive() {
        guard !items.isEmpty else { return }
        if let lead = leads.first,
            lead.from == head.place || (lead.from.segment, lead.from.position) == (head.segment, head.position)
        {
            head = head.entering(lead.to)
            leads.removeFirst()
        }
        let item = items.removeFirst()
        if (item.segment, item.position) != (head.segment, head.position) { faults.insert("found elsewhere") }
        head = head.behindItem(units: item.units)
    }

    mutating func goBack() {
        guard items.isEmpty, tail.segment > 0 else { return }
        tail = tail.entering(0)
        head = tail
    }
}
