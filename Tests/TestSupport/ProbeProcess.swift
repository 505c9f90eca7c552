import Glibc
package import MultiprocessingSystem
import Testing

/// The program `probe`, started by a test; killed when the test lets go of it.
package final class ProbeProcess: Sendable {
    package let handle: ProcessHandle
    private let output: FileDescriptor

    /// The program stands next to the test bundle, because the tests' target depends on it.
    package static var path: String {
        let bundle = ProcessFacts.target(of: "/proc/self/exe") ?? ""
        return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/probe"
    }

    package convenience init(_ arguments: String..., path: String = ProbeProcess.path) throws {
        try self.init(arguments, path: path)
    }

    /// Starts another program in its place.
    package init(_ arguments: [String], path: String, standardError: DescriptorNumber? = nil) throws {
        let pipe = try PipePair()
        handle = try Command(path, arguments: [path] + arguments).spawn(
            standardOutput: pipe.writeEnd.number, standardError: standardError)
        output = pipe.takeReadEnd()
        try output.setNonBlocking()
    }

    deinit {
        _ = try? handle.killGroup()
        // Swift Testing looks for the ends of exit tests among all children, and would see
        // nothing but this one, again and again, if it were left as a zombie.
        _ = try? handle.waitUntilExit()
    }

    package var id: Int32 { handle.id.rawValue }

    /// Reads until a line comes, and returns all lines up to it.
    package func lines(until last: String) async throws -> [String] {
        try await lines { $0 == last }
    }

    /// Reads until the output ends, when the program and its workers are gone.
    package func remainingLines(limit: Duration = .seconds(120)) async throws -> [String] {
        try await lines(limit: limit) { _ in false }
    }

    private func lines(limit: Duration = .seconds(120), until isLast: (String) -> Bool) async throws -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            var byte: UInt8 = 0
            switch try withUnsafeMutableBytes(of: &byte, { try output.read(into: $0) }) {
            case .received where byte == UInt8(ascii: "\n"):
                lines.append(String(decoding: line, as: UTF8.self))
                line = []
                if isLast(lines[lines.count - 1]) { return lines }
            case .received:
                line.append(byte)
            case .wouldBlock:
                try await Task.sleep(for: .milliseconds(2))
            case .endOfStream:
                return lines
            }
        }
        Issue.record("the probe said only \(lines)")
        return lines
    }

    /// How the program ended, within a limit.
    package func exitStatus() async throws -> MultiprocessingSystem.ExitStatus? {
        var status: MultiprocessingSystem.ExitStatus?
        try await expectSoon("the probe did not end") {
            status = try handle.reap()
            return status != nil
        }
        return status
    }
}

extension [String] {
    /// The process ids in lines of the form "worker 123".
    package var workers: [Int32] {
        compactMap { line in line.hasPrefix("worker ") ? Int32(line.dropFirst("worker ".count)) : nil }
    }
}
