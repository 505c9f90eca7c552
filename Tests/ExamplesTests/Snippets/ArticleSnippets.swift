// The Swift code of the articles, compiled. The text of each snippet is here word for
// word; DocumentationTests compares them. What stands around a snippet gives it the names that
// it leaves to its reader. Nothing here is called.

import Distributed
import Multiprocessing

private func overview() async throws {
    let pool = try Pool(.processes)
    let squares = try await pool.map(1...1_000) { $0 * $0 }
    await pool.shutDown()
    _ = squares
}

private func scoped(paths: [String]) async throws {
    let sizes = try await withPool(.processes) { pool in
        try await pool.map(paths) { try fileSize($0) }
    }
    _ = sizes
}

private func oneItem(pool: Pool, paths: [String]) async throws {
    let answer = try await pool.run { try slowQuery() }
    let future = pool.submit(paths[0]) { try fileSize($0) }
    _ = (answer, future)
}

private func manyItems(pool: Pool, paths: [String]) async throws {
    let lengths = try await pool.map(paths) { try fileSize($0) }
    _ = lengths
}

private func results(pool: Pool, paths: [String]) async throws {
    for await result in pool.results(paths, { try fileSize($0) }) {
        print(result)
    }
}

private func stream(pool: Pool, requests: [String]) async throws {
    for try await line in pool.stream(
        requests, order: .completion, { try answer($0) })
    {
        print(line)
    }
}

private func shared(pool: Pool, paths: [String], dictionary: Set<String>) async throws {
    let found = try await pool.map(paths, with: dictionary) { path, words in words.contains(path) }
    _ = found
}

private struct WordCount: Job {
    let path: String

    func run() throws -> Int {
        try read(path).split(separator: " ").count
    }
}

private func choice(isolated: Bool) async throws {
    let backend: any Backend = isolated ? .processes : .threads
    let chosen = try Pool(backend)
    _ = chosen
}

private func bothBackends() async throws {
    let backends: [any Backend] = [.threads, .processes]
    for backend in backends {
        let doubled = try await withPool(backend, workers: 2) { pool in
            try await pool.map(1...3) { $0 * 2 }
        }
        assert(doubled == [2, 4, 6])
    }
}

private func captures(pool: Pool) async throws {
    let factor = 3
    let products = try await pool.map(1...10) { $0 * factor }
    _ = products
}

private func thrown(pool: Pool, name: String) async throws {
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

private func crashes(pool: Pool, page: Int) async throws {
    do {
        try await pool.run(page) { try render($0) }
    } catch let error as PoolError where error.code == .workerCrashed {
        print(error.processID ?? 0, error.signal ?? 0, error.standardError ?? "")
    }
}

private func observing(pool: Pool) async throws {
    let timeline = pool.record()
    let squares = try await pool.map(1...1_000) { $0 * $0 }
    timeline.stop()
    try timeline.write(to: "run.svg")
    print(pool.statistics.runningTime.p99)
    _ = squares
}

private func shapes(pool: Pool, paths: [String], sizes: [Int], words: Set<String>) async throws {
    struct WordCount: Job {
        let path: String
        func run() throws -> Int { try read(path).count }
    }

    let one = try await pool.run { try slowQuery() }  // no input
    let two = try await pool.run("a.txt") { try fileSize($0) }  // an input
    let three = try await pool.map(zip(paths, sizes)) { "\($0): \($1)" }  // pairs
    let four = try await pool.map(paths, with: words) { $1.contains($0) }  // a value for all items
    let five = try await pool.map(paths.map { WordCount(path: $0) })  // jobs
    _ = (one, two, three, four, five)
}

private func options(pool: Pool, paths: [String]) async throws {
    let pages = try await pool.map(
        paths, options: .timeout(.seconds(2)).retry(.attempts(3)).label("pages")
    ) { try read($0) }
    _ = pages
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

private func openLog(for worker: Int) throws {}

private func loadExcluded() throws -> Set<String> { [] }

private struct PriceList {
    init(path: String) throws {}

    func price(of article: String) throws -> Int { article.count }
}

private func train(_ model: String, _ note: (Double) -> Void) throws -> Int { 0 }

private func keeping(articles: [String], model: String) async throws {
    var configuration = Pool.Configuration()
    configuration.setUp = { try openLog(for: Worker.current?.index ?? 0) }  // once a worker, before its first item
    let pool = try Pool(.processes, configuration: configuration)

    enum Shop {
        static let prices = WorkerLocal { try PriceList(path: "/srv/prices") }  // one a worker, made when first used
    }
    let excluded = pool.broadcast(
        try loadExcluded())  // sent to each worker at most once
    let prices = try await pool.map(articles) { article in
        excluded.value.contains(article) ? 0 : try Shop.prices.value.price(of: article)
    }
    _ = prices

    let future = pool.submit(model) { try train($0) { Worker.current?.report($0, "training") } }
    for await report in future.progress { print("\(Int(report.fraction * 100)) % \(report.text)") }
}

private func retries(pool: Pool, name: String) async throws {
    struct Unreachable: Error, Codable {}

    let policy = RetryPolicy.attempts(
        4, delay: .constant(.seconds(1)), where: { $0 is Unreachable })
    let page = try await pool.run(name, options: .retry(policy)) { try download($0) }
    _ = page
}

private func surroundings() throws {
    let pool = try Pool(
        .processes(
            environment: .inherit.updating([
                "TZ": "UTC", "TOKEN": nil,
            ]),  // or .custom([:])
            workingDirectory: "/var/lib/resizer",
            limits: ResourceLimits(
                memory: .mebibytes(512), cpuTime: .seconds(60), openFiles: 256),
            cpus: .spread,  // or .each([[0], [1, 2]])
            niceness: 10,
            output: .lines { print("[worker \($0.worker)] \($0.text)") },  // or .discard
            backtraces: .off))
    _ = pool
}

private func sharing(lines: [String]) async throws {
    let queue = try SharedQueue<String>(capacity: 1_000)
    let matches = try SharedValue(0)
    let crew = try Crew(.processes, workers: 4, (queue, matches)) { (queue, matches) in
        for try await line in queue where line.contains("error") {
            try await matches.withLock { $0 += 1 }
        }
    }
    for line in lines { try await queue.send(line) }
    queue.close()
    try await crew.join()
    print(try await matches.load())
}

private func recovery(ledger: SharedArray<Int>, from: Int, to: Int, amount: Int) throws {
    func settle(_ accounts: inout MutableSpan<Int>) {}
    // Not a trailing closure alone: the one that puts things in order has a name.
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ledger.withLock(recover: { _, accounts in settle(&accounts) }) { accounts in
        accounts[from] -= amount
        accounts[to] += amount
    }
}

private enum ActorArticle {
    distributed actor Visits {
        typealias ActorSystem = WorkerActorSystem
        private var counts: [String: Int] = [:]

        distributed func add(_ page: String) -> Int {
            counts[page, default: 0] += 1
            return counts[page, default: 0]
        }
    }

    static func actors(pool: Pool, pages: [String]) async throws {
        let manager = try await Manager(.processes)
        let visits = try await manager.host { Visits(actorSystem: $0) }
        try await pool.forEach(pages) { _ = try await visits.add($0) }
    }
}

private func servingActors() async throws {
    let key = try ManagerKey(contentsOf: "/etc/registry/key")
    let server = try await ManagerServer(
        at: .tcp(host: "127.0.0.1", port: 7000), key: key)
    try await server.register("scores") { ManagedDictionary<String, Int>(actorSystem: $0) }
}

private func callingServers(key: ManagerKey) async throws {
    let remote = try await Manager.connect(
        to: .tcp(host: "127.0.0.1", port: 7000), key: key)
    let scores = try await remote.object(
        "scores", as: ManagedDictionary<String, Int>.self)
    try await scores.set("ada", 1)
}

private func legacyQuery(_ text: String) -> [String] { [text] }

private distributed actor Parser {
    typealias ActorSystem = WorkerActorSystem
    distributed func parse(_ text: String) -> [String] { [text] }
}

private func hosted(pool: Pool, untrusted: String) async throws {
    let parser = try await pool.host { Parser(actorSystem: $0) }
    let tree = try await parser.parse(untrusted)
    _ = tree
}

private func onThreads() async throws {
    let pool = try Pool(.threads, workers: 16)
    let executor = try pool.taskExecutor
    let rows = await Task(executorPreference: executor) { legacyQuery("SELECT 1") }.value
    _ = rows
}

actor Database {
    private let executor: PoolSerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(on pool: Pool) throws { executor = try pool.makeSerialExecutor() }

    func query(_ text: String) -> [String] { legacyQuery(text) }
}

private func boundedGroup(paths: [String]) async throws {
    let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
        var rest = paths.makeIterator()
        var sizes: [Int] = []
        for _ in 0..<4 { if let path = rest.next() { group.addTask { try fileSize(path) } } }
        while let size = try await group.next() {
            sizes.append(size)
            if let path = rest.next() { group.addTask { try fileSize(path) } }
        }
        return sizes
    }
    _ = sizes
}

private func boundedPool(paths: [String]) async throws {
    let sizes = try await withPool(.threads, workers: 4) { pool in
        try await pool.map(paths) { try fileSize($0) }
    }
    _ = sizes
}

private func eitherBackend(isolated: Bool, paths: [String]) async throws {
    let backend: any Backend = isolated ? .processes : .threads
    let count = try await withPool(backend, workers: 4) { pool in
        try await pool.map(paths) { try fileSize($0) }.reduce(0, +)
    }
    _ = count
}
