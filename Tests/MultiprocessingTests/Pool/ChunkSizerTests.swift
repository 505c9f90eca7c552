import Multiprocessing
import Testing

struct ChunkSizerTests {
    @Test func `The size that the caller asks for is kept`() {
        var sizer = ChunkSizer(fixed: 7, workerCount: 4)
        sizer.observe(count: 7, nanoseconds: 1)
        #expect(sizer.size(remaining: nil) == 7)
        #expect(sizer.size(remaining: 3) == 7)
    }

    @Test func `The first chunk has one item`() {
        let sizer = ChunkSizer(fixed: nil, workerCount: 4)
        #expect(sizer.size(remaining: nil) == 1)
        #expect(sizer.size(remaining: 1_000_000) == 1)
    }

    @Test func `Chunks grow in steps until they run for the target`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 1)
        let perItem: UInt64 = 1_000
        var sizes: [Int] = []
        for _ in 0..<6 {
            let size = sizer.size(remaining: nil)
            sizes.append(size)
            sizer.observe(count: size, nanoseconds: UInt64(size) * perItem)
        }
        #expect(sizes == [1, 8, 64, 512, 1_000, 1_000])
    }

    @Test func `Slow items travel alone`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 1)
        sizer.observe(count: 1, nanoseconds: 1)
        sizer.observe(count: 8, nanoseconds: 8 * 50 * ChunkSizer.target)
        #expect(sizer.size(remaining: nil) == 1)
    }

    @Test func `Items that take no time at all do not grow chunks without end`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 1)
        for _ in 0..<100 { sizer.observe(count: 1, nanoseconds: 0) }
        #expect(sizer.size(remaining: nil) <= ChunkSizer.maximum)
    }

    @Test func `A chunk without items teaches nothing`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 1)
        sizer.observe(count: 0, nanoseconds: 0)
        #expect(sizer.size(remaining: nil) == 1)
    }

    @Test func `Chunks shrink towards the end so that all workers finish together`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 4)
        for _ in 0..<10 { sizer.observe(count: 1_000, nanoseconds: 1_000) }
        var remaining = 10_000
        var last = Int.max
        while remaining > 0 {
            let size = sizer.size(remaining: remaining)
            #expect(size >= 1)
            #expect(size <= last)
            #expect(size <= max(1, remaining / 4))
            last = size
            remaining -= size
        }
        #expect(last == 1)
    }
}
