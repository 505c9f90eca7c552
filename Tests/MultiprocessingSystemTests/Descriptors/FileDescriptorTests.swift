import Glibc
import MultiprocessingSystem
import Testing

@Suite struct FileDescriptorTests {
    @Test func losingOneClosesIt() async {
        // In a process of its own, where no other test opens the same number again.
        await #expect(processExitsWith: .success) {
            var lost: [Opened] = []
            do {
                let pipe = try PipePair()
                lost += [Opened(pipe.readEnd), Opened(pipe.writeEnd)]
                let end = pipe.takeReadEnd()
                #expect(lost[0].isOpen)
                #expect(!lost[1].isOpen)
                end.close()
                let pair = try SocketPair()
                let memory = try SharedPages(size: 1)
                let duplicate = try FileDescriptor.duplicating(.standardError)
                lost += [Opened(pair.first.number), Opened(pair.second.number)]
                lost += [Opened(memory.descriptor.number), Opened(duplicate)]
                #expect(lost.dropFirst(2).allSatisfy { $0.isOpen })
            }
            #expect(!lost.contains { $0.isOpen })
        }
    }

    @Test func closeBehindTheOwnersBackTraps() async {
        await #expect(processExitsWith: .failure) {
            let file = try FileDescriptor.open("/dev/null")
            close(file.number.rawValue)
        }
    }

    @Test func everyDescriptorClosesOnExec() throws {
        let pipe = try PipePair()
        let pair = try SocketPair()
        let memory = try SharedPages(size: 1)
        let child = try Command("/bin/true", arguments: ["true"]).spawn()
        let duplicate = try FileDescriptor.duplicating(.standardError, lowest: 50)
        #expect(duplicate.number.rawValue >= 50)
        for number in [
            pipe.readEnd.number, pipe.writeEnd.number, pair.first.number, pair.second.number,
            memory.descriptor.number, child.exitDescriptor, duplicate.number,
        ] {
            #expect(fcntl(number.rawValue, F_GETFD) == FD_CLOEXEC)
        }
        #expect(try exitStatus(of: child) == .exited(0))
    }

    @Test func nonBlockingReadReturnsAtOnce() throws {
        let pipe = try PipePair()
        try pipe.readEnd.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 4)
        #expect(try buffer.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) } == .wouldBlock)
        write(pipe.writeEnd.number.rawValue, "ab", 2)
        #expect(try buffer.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) } == .received(2))
        let end = pipe.takeReadEnd()
        #expect(try buffer.withUnsafeMutableBytes { try end.read(into: $0) } == .endOfStream)
    }
}

/// A descriptor as it was when it was open: another thread, of Dispatch for example, may open its number again.
private struct Opened {
    private let number: DescriptorNumber
    private let target: String?

    init(_ number: DescriptorNumber) {
        self.number = number
        target = Self.target(of: number)
    }

    init(_ file: borrowing FileDescriptor) {
        self.init(file.number)
    }

    var isOpen: Bool { target != nil && Self.target(of: number) == target }

    private static func target(of number: DescriptorNumber) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/fd/\(number.rawValue)", $0.baseAddress!, $0.count)
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
