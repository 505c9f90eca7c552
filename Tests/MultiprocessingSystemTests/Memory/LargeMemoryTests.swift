import MultiprocessingSystem
import Testing

struct LargeMemoryTests {
    @Test(arguments: [0, 1, 4_096, 64 << 20])
    func `Memory that the machine has is available`(byteCount: Int) {
        #expect(LargeMemory.isAvailable(byteCount))
    }

    @Test(arguments: [-1, .min, .max, .max - 4_095, 1 << 62, 1 << 48])
    func `Memory that no machine has is not`(byteCount: Int) {
        #expect(!LargeMemory.isAvailable(byteCount))
    }

    @Test(arguments: [0, 1, 5_000, 4 << 20, (9 << 20) + 3], [0, 1, 4_095])
    func `What is in memory stays when large pages are asked for`(size: Int, offset: Int) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size + offset, alignment: 4_096)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 7)
        LargeMemory.preferLargePages(UnsafeMutableRawBufferPointer(rebasing: memory[offset...]))
        let isSame = memory.allSatisfy { $0 == 7 }
        #expect(isSame)
        LargeMemory.preferLargePages(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}
