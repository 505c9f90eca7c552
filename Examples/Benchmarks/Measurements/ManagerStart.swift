import Multiprocessing

/// How long it takes until an object of a new process answers.
struct ManagerStart: Measurement {
    let name = "manager-start"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10, quick: 2)
        summary = "a manager's process is started, makes a dictionary, answers once, and ends"
    }

    let figures = [Figure(unit: .milliseconds, peerCommand: "manager-start 1")]

    func contestants() throws -> [Contestant] {
        let program = try TinyProgram()
        return [
            Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes]) {
                [try await mean { try await once() }]
            },
            Contestant("start of a program that exits", .floor, [.processes]) {
                [try await mean { try program.run(times: 1) }]
            },
        ]
    }

    private func once() async throws {
        let manager = try await Manager(.processes)
        let table = try await manager.dictionary(of: Int.self, Int.self)
        let size = try await table.count
        try check(size, 0)
        await manager.shutDown()
    }

    private func mean(_ body: () async throws -> Void) async throws -> Double {
        let watch = Stopwatch()
        for _ in 0..<count { try await body() }
        return watch.seconds / Double(count)
    }
}
