import Distributed
import Glibc
import TestSupport
import Testing

@testable import Multiprocessing
@testable import MultiprocessingSystem

@Suite("Faults between actors and their callers", .admitted)
struct ActorFaultTests {
    @Test("Hosts that are killed at random leave no call without an end, and none both done and denied")
    func killedHosts() async throws {
        try await TestBackend.processes.withPool(workers: 2) { pool in
            for round in 0..<5 {
                let manager = try await Manager(.processes)
                let tally = try await manager.host { Tally(actorSystem: $0) }
                let host = try #require(manager.processID)
                let calls = (0..<400).map { _ in Task { try await tally.add(1) } }
                let inWorkers = Task {
                    await pool.counted(100) {
                        do {
                            _ = try await tally.add(1)
                            return 1
                        } catch let error as ActorCallError where error.code == .hostGone {
                            return 0
                        }
                    }
                }
                try await Task.sleep(for: .milliseconds(round * 3))
                kill(host, SIGKILL)
                var sums: Set<Int> = []
                for call in calls {
                    do {
                        // Each addition that was answered is another one.
                        #expect(sums.insert(try await call.value).inserted)
                    } catch let error as ActorCallError {
                        #expect(error.code == .hostGone)
                    }
                }
                #expect(await inWorkers.value <= 100)
                await manager.shutDown()
            }
        }
    }

    @Test("Who connects and says nothing, or what makes no sense, disturbs nobody")
    func strangers() async throws {
        try await withLimit {
            let servant = Servant(actorSystem: .shared)
            try WorkerActorSystem.shared.hosted.export(servant.id.number)
            let name = WorkerActorSystem.shared.address.socketName
            // The greeting's header, and a length that nobody has memory for, among others.
            let texts: [[UInt8]] = [
                [], [1], Array(repeating: 0xFF, count: 64), Array("GET / HTTP/1.1\r\n\r\n".utf8),
                [7, 0, 0, 0, 0, 0, 0, 0] + Array(repeating: 0x7F, count: 8),
            ]
            let visitors = try (0..<200).map { try Stranger(name, saying: texts[$0 % texts.count]) }
            let child = try ChildProcess(.processes, servant) { servant in try await servant.echo(5) }
            try await expect(5) { try await child.value }
            withExtendedLifetime(visitors) {}
        }
    }
}

/// One who connects to a host, says something, and stays.
private final class Stranger: Sendable {
    private let socket: Socket

    init(_ name: String, saying text: [UInt8]) throws {
        socket = try Socket.connecting(toAbstract: name)
        if !text.isEmpty { _ = try text.withUnsafeBytes { try socket.sendAll($0) } }
    }
}

extension Pool {
    /// The sum of what so many items return.
    fileprivate func counted(_ count: Int, _ body: @escaping @Sendable () async throws -> Int) async -> Int {
        let results = try? await map(0..<count) { _ in try await body() }
        return results?.reduce(0, +) ?? 0
    }
}
