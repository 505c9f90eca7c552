import Foundation
import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct SharedMemoryTests {
    @Test("test_shared_memory_basics, _across_processes and _pickle_unpickle", arguments: TestBackend.allCases)
    func basics(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let memory = try SharedMemory(byteCount: 512)
            #expect(memory.byteCount == 512)
            #expect(memory.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
            memory.withBytes { $0.storeBytes(of: 42, toByteOffset: 1, as: UInt8.self) }
            let back = try await pool.run(memory) { memory in
                memory.withBytes { bytes in
                    let byte = bytes.bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self)
                    bytes.storeBytes(of: byte + 1, toByteOffset: 511, as: UInt8.self)
                }
                return memory
            }
            #expect(back == memory)
            #expect(memory.withUnsafeBytes { $0[511] } == 43)
            back.withUnsafeBytes { $0[0] = 1 }
            #expect(memory.withUnsafeBytes { $0[0] } == 1)
        }
    }

    @Test("Under its lock", arguments: TestBackend.allCases)
    func locked(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let memory = try SharedMemory(byteCount: 8)
            try await pool.forEach(1...100) { n in
                try memory.withLock { bytes in
                    let sum = bytes.bytes.unsafeLoad(as: Int.self)
                    bytes.storeBytes(of: sum + n, as: Int.self)
                }
            }
            #expect(try await memory.withLock { $0.bytes.unsafeLoad(as: Int.self) } == 5_050)
        }
    }

    @Test("test_invalid_shared_memory_creation", arguments: [0, -1, .min, .max])
    func invalid(_ byteCount: Int) throws {
        do {
            _ = try SharedMemory(byteCount: byteCount)
            Issue.record("\(byteCount) bytes are none")
        } catch let error as SharedStateError {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("\(byteCount) bytes"))
        }
    }

    @Test("test_shared_memory_ShareableList_pickling: what is sent does not grow with the memory")
    func sizeOfHandles() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            // More than could be copied in time.
            let memory = try SharedMemory(byteCount: 1 << 40)
            memory.withUnsafeBytes { $0[1 << 39] = 5 }
            #expect(try await pool.run(memory) { $0.withUnsafeBytes { $0[1 << 39] } } == 5)
        }
    }

    @Test(
        "test_shared_memory_cleaned_after_process_termination: what a killed worker made lives as long as its handles")
    func creatorDies() async throws {
        // In a process of its own, where nobody else shares anything.
        let (before, after) = try await TestBackend.processes.withPool(workers: 1) {
            try await $0.run { try await outlive() }
        }
        #expect(after.isWithin(before), "\(before) \(after)")
    }
}

private func outlive() async throws -> (OpenThings, OpenThings) {
    // What a template has open is counted with it.
    let pool = try Pool(.processes(starts: .separate), workers: 1)
    try await pool.run {}
    let before = try OpenThings.count()
    var memory: SharedMemory? = try await pool.run {
        let memory = try SharedMemory(byteCount: 64)
        memory.withUnsafeBytes { $0[5] = 55 }
        return memory
    }
    await #expect(throws: PoolError.self) { try await pool.run { _ = kill(getpid(), SIGKILL) } }
    #expect(memory?.withUnsafeBytes { $0[5] } == 55)
    // Another worker has it, too.
    if let memory { #expect(try await pool.run(memory) { $0.withUnsafeBytes { $0[5] } } == 55) }
    memory = nil
    let after = try await OpenThings.settled(at: before)
    await pool.terminate()
    return (before, after)
}
