import Multiprocessing

/// Ten pages of a slow server, one after the other and many at once: here more workers do help, up to ten.
enum Crawl: Program {
    static let about = "ten pages from a slow server, serially and with 1, 2, 4, 10 and 100 workers"

    static func run(on stage: Stage) async throws {
        let server = try SlowServer(delay: stage.isShort ? 10_000 : 60_000)
        defer { server.stop() }
        let port = server.port

        try await withPool(stage.backend, workers: 4) { pool in
            try await crawlAloud(pool, port)
        }
        let counts = stage.isShort ? [1, 4, 10] : [1, 2, 4, 10, 100]
        let table = TimeTable(python: try PythonTimes.crawl(on: stage, port: port, workers: counts))
        say("the pool is made each time; each process loads Foundation, and makes a session of its own")
        table.sayHead("")
        try await table.measure("one page", runs: 1) { _ = try await Page.load(1, from: port) }
        try await table.measure("serial", runs: 1) { try check(try await crawlSerially(port)) }
        for count in counts {
            if [1, 4, 10].contains(count) {
                try await table.measure("apply, \(count) workers", runs: 1) {
                    try await withPool(stage.backend, workers: count) { pool in
                        try check(try await crawlByApply(pool, port))
                    }
                }
            }
            try await table.measure("apply_async, \(count) workers", runs: 1) {
                try await withPool(stage.backend, workers: count) { pool in try check(try await crawl(pool, port)) }
            }
        }
        say("\(SlowServer.pages * SlowServer.repostsPerPage) reposts each time")
    }

    private static func crawlSerially(_ port: UInt16) async throws -> [Page.Repost] {
        var reposts: [Page.Repost] = []
        for number in 1...(try await pages(at: port)) { reposts += try await Page.load(number, from: port).reposts }
        return reposts
    }

    /// Each page is waited for before the next is asked for.
    private static func crawlByApply(_ pool: Pool, _ port: UInt16) async throws -> [Page.Repost] {
        var reposts: [Page.Repost] = []
        for number in 1...(try await pages(at: port)) {
            reposts += try await pool.run { try await Page.load(number, from: port) }.reposts
        }
        return reposts
    }

    /// All pages are asked for at once, and then waited for.
    private static func crawl(_ pool: Pool, _ port: UInt16) async throws -> [Page.Repost] {
        let pages = try await pages(at: port)
        let futures = (1...pages).map { number in pool.submit { try await Page.load(number, from: port) } }
        return try await Future.all(of: futures).flatMap(\.reposts)
    }

    /// The first page says how much there is.
    private static func pages(at port: UInt16) async throws -> Int {
        min(try await Page.load(1, from: port).total / 200, 10)
    }

    /// Four pages at once: each worker says when it starts and when it has finished.
    private static func crawlAloud(_ pool: Pool, _ port: UInt16) async throws {
        try await pool.forEach(1...10) { number in
            say("\(whoIsHere) starts")
            _ = try await Page.load(number, from: port)
            say("\(whoIsHere) has finished")
        }
    }

    private static func check(_ reposts: [Page.Repost]) throws {
        let all = SlowServer.pages * SlowServer.repostsPerPage
        try expect(reposts.map(\.id), is: Array(1...all), "the reposts")
    }
}
