import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct ChunkSizerTests {
    @Test func `The size that the caller asks for is what a worker begins together`() {
        var sizer = ChunkSizer(fixed: 7, workerCount: 4)
        #expect(sizer.size(remaining: nil) == 7)
        sizer.observe(count: 7, nanoseconds: 1)
        #expect(sizer.size(remaining: nil) % 7 == 0)
        #expect(sizer.size(remaining: 3) == 7)
        #expect(sizer.stride(of: 700) == 7)
    }

    @Test func `Small chunks travel together if they are quick and alone if they are not`() {
        var sizer = ChunkSizer(fixed: 2, workerCount: 1)
        for _ in 0..<5 { sizer.observe(count: 2, nanoseconds: 2_000) }
        #expect(sizer.size(remaining: nil) == 1_000)
        sizer.observe(count: 1_000, nanoseconds: 1_000 * ChunkSizer.target)
        #expect(sizer.size(remaining: nil) == 2)
    }

    @Test func `A stride is a small part of what travels together`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 1)
        #expect(sizer.stride(of: 1) == 1)
        for _ in 0..<5 { sizer.observe(count: 1_000, nanoseconds: 1_000_000) }
        #expect(sizer.size(remaining: nil) == 1_000)
        #expect(sizer.stride(of: 1_000) == 50)
        #expect(sizer.stride(of: 20) == 20)
        sizer.observe(count: 1, nanoseconds: ChunkSizer.target)
        #expect(sizer.stride(of: 1) == 1)
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

    @Test func `Less travels together towards the end so that all workers finish together`() {
        var sizer = ChunkSizer(fixed: nil, workerCount: 4)
        for _ in 0..<10 { sizer.observe(count: 1_000, nanoseconds: 1_000_000) }
        let stride = sizer.stride(of: .max)
        #expect(stride == 50)
        var remaining = 10_000
        var last = Int.max
        while remaining > 0 {
            let size = sizer.size(remaining: remaining)
            #expect(size <= last)
            #expect(size <= max(stride, remaining / 4))
            #expect(size >= stride)
            last = size
            remaining -= size
        }
        #expect(last == stride)
    }
}
