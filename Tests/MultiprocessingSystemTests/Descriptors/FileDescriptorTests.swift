import Glibc
import MultiprocessingSystem
import Testing

@Suite struct FileDescriptorTests {
    @Test func losingOneClosesIt() async {
        // In a process of its own, where no other test opens the same number again.
        await #expect(processExitsWith: .success) {
            var lost: [DescriptorNumber] = []
            do {
                let pipe = try Pipe()
                lost += [pipe.readEnd.number, pipe.writeEnd.number]
                let end = pipe.takeReadEnd()
                #expect(isOpen(lost[0]))
                #expect(!isOpen(lost[1]))
                end.close()
                let pair = try SocketPair()
                let memory = try SharedMemory(size: 1)
                let duplicate = try FileDescriptor.duplicating(.standardError)
                lost += [pair.first.number, pair.second.number, memory.descriptor.number, duplicate.number]
                #expect(lost.dropFirst(2).allSatisfy(isOpen))
            }
            #expect(!lost.contains(where: isOpen))
        }
    }

    @Test func closeBehindTheOwnersBackTraps() async {
        await #expect(processExitsWith: .failure) {
            let file = try FileDescriptor.open("/dev/null")
            close(file.number.rawValue)
        }
    }

    @Test func everyDescriptorClosesOnExec() throws {
        let pipe = try Pipe()
        let pair = try SocketPair()
        let memory = try SharedMemory(size: 1)
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
        let pipe = try Pipe()
        try pipe.readEnd.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 4)
        #expect(try buffer.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) } == .wouldBlock)
        write(pipe.writeEnd.number.rawValue, "ab", 2)
        #expect(try buffer.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) } == .received(2))
        let end = pipe.takeReadEnd()
        #expect(try buffer.withUnsafeMutableBytes { try end.read(into: $0) } == .endOfStream)
    }
}

private func isOpen(_ number: DescriptorNumber) -> Bool {
    fcntl(number.rawValue, F_GETFD) >= 0
}
