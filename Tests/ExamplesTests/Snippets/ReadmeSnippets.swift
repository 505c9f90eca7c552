// The Swift code of README.md, compiled. The text of each snippet is here word for
// word; DocumentationTests compares them. What stands around a snippet gives it the names that
// it leaves to its reader. Nothing here is called.

import Distributed
import Multiprocessing

private func firstScreen() async throws {
    let pool = try Pool(.processes)  // or .threads; nothing else changes
    let squares = try await pool.map(1...1_000) { $0 * $0 }

    do {
        let third = try await pool.run(squares) { $0[2_000] }
        print(third)
    } catch let error as PoolError where error.code == .workerCrashed {
        print(error)  // workerCrashed: worker process 4711 was ended by SIGILL while it ran the item
    }
    await pool.shutDown()
}

private func jobs(pool: Pool, paths: [String]) async throws {
    struct Thumbnail: Job {
        let path: String
        let width: Int

        func run() throws -> [UInt8] {
            try render(path, width)
        }
    }

    let pixels = try await pool.run(Thumbnail(path: "a.png", width: 64))
    let all = try await pool.map(paths.map { Thumbnail(path: $0, width: 64) })
    _ = (pixels, all)
}

private func work(pool: Pool, paths: [String], dictionary: Set<String>) async throws {
    // One item: run waits for it, submit gives a future.
    let sum = try await pool.run([1, 2, 3]) { $0.reduce(0, +) }
    let future = pool.submit { try slowQuery() }
    let rows = try await future.value

    // Many items, results in the order of the inputs. Stops at the first failure.
    let lengths = try await pool.map(paths) { try fileSize($0) }
    let products = try await pool.map(zip(lengths, 1...)) { $0 * $1 }
    try await pool.forEach(paths) { try touch($0) }

    // A value for all items is sent to each worker once.
    let found = try await pool.map(paths, with: dictionary) { path, words in words.contains(path) }
    _ = (sum, rows, products, found)
}

private func streams(pool: Pool, paths: [String], requests: [String]) async throws {
    for try await line in pool.stream(
        requests, order: .completion, { try answer($0) })
    {
        print(line)
    }
    for await result in pool.results(paths, { try fileSize($0) }) {
        if case .failure(let error) = result { print(error) }
    }
}

private func errors(pool: Pool, name: String) async throws {
    enum LookUpError: Error, Codable {
        case notFound(String)
    }

    do {
        let page = try await pool.run(name) { try lookUp($0) }
        print(page)
    } catch LookUpError.notFound(let name) {
        print("there is no \(name)")
    }
}

private func backends(isolated: Bool, paths: [String]) async throws {
    let backend: any Backend = isolated ? .processes : .threads
    let count = try await withPool(backend, workers: 4) { pool in
        try await pool.map(paths) { try fileSize($0) }.reduce(0, +)
    }
    _ = count
}

private func control(paths: [String]) async throws {
    var configuration = Pool.Configuration()
    configuration.defaults = .timeout(.seconds(30))  // unless a call says so
    configuration.gracePeriod = .milliseconds(500)  // between the word to stop and the kill
    configuration.recycling.memoryGrowth = 256 << 20  // a worker that leaks is replaced between items
    let pool = try Pool(
        .processes(limits: ResourceLimits(memory: .gibibytes(1))),
        configuration: configuration)

    let options = WorkOptions.timeout(.seconds(2)).retry(.attempts(3)).label("thumbnails")
    let sizes = try await pool.map(paths, options: options) { try fileSize($0) }
    _ = sizes
}

private func sharing(paths: [String]) async throws {
    let files = try SharedQueue<String>(capacity: 100)
    let total = try SharedValue(0)
    let crew = try Crew(.processes, workers: 4, (files, total)) { (files, total) in
        for try await path in files {
            let size = try fileSize(path)
            try await total.withLock { $0 += size }
        }
    }
    for path in paths { try await files.send(path) }
    files.close()
    try await crew.join()
    print(try await total.load())
}

distributed actor Visits {
    typealias ActorSystem = WorkerActorSystem
    private var counts: [String: Int] = [:]

    distributed func add(_ page: String) -> Int {
        counts[page, default: 0] += 1
        return counts[page, default: 0]
    }
}

private func actors(pool: Pool, pages: [String]) async throws {
    let manager = try await Manager(.processes)  // a process that hosts objects; .threads: this one
    let visits = try await manager.host { Visits(actorSystem: $0) }
    try await pool.forEach(pages) { _ = try await visits.add($0) }

    let table = try await manager.dictionary(of: String.self, Int.self)
    try await pool.forEach(pages) { try await table.update($0, default: 0) { $0 += 1 } }
    await manager.shutDown()
}

private func servingActors(key: ManagerKey) async throws {
    let server = try await ManagerServer(
        at: .tcp(host: "127.0.0.1", port: 7000), key: key)
    try await server.register("scores") { ManagedDictionary<String, Int>(actorSystem: $0) }
}

private func callingServers(key: ManagerKey) async throws {
    let remote = try await Manager.connect(
        to: .tcp(host: "127.0.0.1", port: 7000), key: key)
    let scores = try await remote.object(
        "scores", as: ManagedDictionary<String, Int>.self)
    _ = scores
}
