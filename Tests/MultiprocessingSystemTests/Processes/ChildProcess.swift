import Glibc
import MultiprocessingSystem
import Testing

/// Not the type of the same name in Swift Testing.
typealias ExitStatus = MultiprocessingSystem.ExitStatus

/// A child whose standard output the test reads, and that is killed when it takes too long.
struct ChildProcess: ~Copyable {
    let handle: ProcessHandle
    let output: FileDescriptor

    static let limit = Duration.seconds(120)

    init(_ command: Command, standardError: DescriptorNumber? = nil, passing: [DescriptorNumber] = []) throws {
        let pipe = try PipePair()
        handle = try command.spawn(
            standardOutput: pipe.writeEnd.number,
            standardError: standardError,
            passing: passing
        )
        output = pipe.takeReadEnd()
    }

    init(shell script: String, environment: [String: String?] = [:], passing: [DescriptorNumber] = []) throws {
        try self.init(
            Command("/bin/sh", arguments: ["sh", "-c", script], environment: environment),
            passing: passing
        )
    }

    deinit {
        _ = try? handle.killGroup()
        // Swift Testing looks for the ends of exit tests among all children, and would see
        // nothing but this one, again and again, if it were left as a zombie.
        _ = try? handle.waitUntilExit()
    }

    /// Reads up to the end of a line.
    borrowing func readLine() throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            try waitUntilReadable(output.number, Self.limit)
            let result = try withUnsafeMutableBytes(of: &byte) { try output.read(into: $0) }
            guard result == .received(1), byte != UInt8(ascii: "\n") else {
                return String(decoding: line, as: UTF8.self)
            }
            line.append(byte)
        }
    }

    /// Reads to the end of the output, which comes when the last process that holds it has ended.
    borrowing func readOutput() throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try waitUntilReadable(output.number, Self.limit)
            guard case .received(let count) = try buffer.withUnsafeMutableBytes({ try output.read(into: $0) }) else {
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes += buffer[..<count]
        }
    }

    borrowing func exitStatus() throws -> ExitStatus {
        try MultiprocessingSystemTests.exitStatus(of: handle)
    }
}

/// Waits for the end of a process, and kills it after a limit.
func exitStatus(of handle: ProcessHandle) throws -> ExitStatus {
    do {
        try waitUntilReadable(handle.exitDescriptor, ChildProcess.limit)
    } catch {
        try handle.killGroup()
        throw error
    }
    return try #require(try handle.reap())
}

func waitUntilReadable(_ number: DescriptorNumber, _ limit: Duration) throws {
    var entry = pollfd(fd: number.rawValue, events: Int16(POLLIN), revents: 0)
    let count = poll(&entry, 1, Int32(limit.components.seconds) * 1000)
    try #require(count == 1, "not readable within \(limit)")
}
