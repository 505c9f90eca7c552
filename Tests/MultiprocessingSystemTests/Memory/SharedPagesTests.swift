import Glibc
import MultiprocessingSystem
import Testing

@Suite struct SharedPagesTests {
    @Test func isZeroAndWholePages() throws {
        let memory = try SharedPages(size: 5000)
        #expect(memory.count == 8192)
        #expect(memory.bytes.allSatisfy { $0 == 0 })
    }

    @Test func anotherMappingSeesTheSameBytes() throws {
        let memory = try SharedPages(size: 4096)
        let other = try SharedPages(mapping: .duplicating(memory.descriptor.number))
        memory.bytes[17] = 42
        #expect(other.bytes[17] == 42)
        #expect(other.count == memory.count)
        #expect(other.bytes.baseAddress != memory.bytes.baseAddress)
    }

    @Test func childWritesIt() throws {
        let memory = try SharedPages(size: 4096)
        let child = try ChildProcess(
            shell: "printf hello | dd of=/proc/self/fd/3 conv=notrunc 2>/dev/null",
            passing: [memory.descriptor.number]
        )
        #expect(try child.exitStatus() == .exited(0))
        #expect(String(decoding: memory.bytes.prefix(5), as: UTF8.self) == "hello")
    }

    @Test func sizeIsSealed() throws {
        let memory = try SharedPages(size: 4096)
        #expect(ftruncate(memory.descriptor.number.rawValue, 0) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(memory.descriptor.number.rawValue, 8192) == -1)
        #expect(errno == EPERM)
        let child = try ChildProcess(
            shell: ": > /proc/self/fd/3",
            passing: [memory.descriptor.number]
        )
        #expect(try child.exitStatus() != .exited(0))
        #expect(memory.bytes[0] == 0)
    }

    @Test(arguments: [0, -1, Int.max])
    func badSizeThrows(size: Int) {
        let error = #expect(throws: SystemError.self) {
            _ = try SharedPages(size: size)
        }
        #expect(error?.errno == .invalidArgument)
    }

    @Test func wordCountsAcrossThreadsAndMappings() throws {
        let memory = try SharedPages(size: 4096)
        let other = try SharedPages(mapping: .duplicating(memory.descriptor.number))
        let words = [SharedWord(memory, at: 64), SharedWord(other, at: 64)]
        try runConcurrently(
            words.map { word -> @Sendable () -> Void in
                {
                    for _ in 0..<100_000 {
                        word.add(1)
                    }
                }
            }
        )
        #expect(words[0].load() == 200_000)
        #expect(words[1].compareExchange(expected: 200_000, desired: 7) == (true, 200_000))
        #expect(words[0].compareExchange(expected: 200_000, desired: 8) == (false, 7))
        words[0].store(.max)
        #expect(words[1].add(2) == .max)
        #expect(words[1].load() == 1)
    }
}
