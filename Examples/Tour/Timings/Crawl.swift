import Multiprocessing

/// Ten pages of a slow server, one after the other and many at once: here more workers do help, up to ten.
enum Crawl: Program {
    static let about = "ten pages from a slow server, serially and with 1, 2, 4, 10 and 100 workers"

    static func run(on stage: Stage) async throws {
        let server = try SlowServer(delay: stage.isShort ? 10_000 : 80_000)
        defer { server.stop() }
        let port = server.port

        try await withPool(stage.backend, workers: 4) { pool in
            say("apply_async, 4 workers:")
            try check(try await crawl(pool, port, isAloud: true))
        }
        let counts = stage.isShort ? [1, 4, 10] : [1, 2, 4, 10, 100]
        let table = TimeTable(python: try PythonTimes.crawl(on: stage, port: port, workers: counts))
        say("the pool is made each time, and a session for each process")
        table.sayHead("")
        try await table.measure("serial", runs: 1) { try check(try await crawlSerially(port)) }
        for count in counts {
            if count == 4 {
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

    private static func pages(_ port: UInt16) async throws -> ClosedRange<Int> {
        let total = try await Page.load(1, from: port).total
        return 1...min(total / SlowServer.repostsPerPage, 10)
    }

    private static func crawlSerially(_ port: UInt16) async throws -> [Page.Repost] {
        var reposts: [Page.Repost] = []
        for number in try await pages(port) { reposts += try await Page.load(number, from: port).reposts }
        return reposts
    }

    /// Each page is waited for before the next is asked for.
    private static func crawlByApply(_ pool: Pool, _ port: UInt16) async throws -> [Page.Repost] {
        var reposts: [Page.Repost] = []
        for number in try await pages(port) {
            reposts += try await pool.run { try await Page.load(number, from: port).reposts }
        }
        return reposts
    }

    /// All pages are asked for at once, and then waited for.
    private static func crawl(_ pool: Pool, _ port: UInt16, isAloud: Bool = false) async throws -> [Page.Repost] {
        let futures = try await pages(port).map { number in
            pool.submit {
                if isAloud { say("\(whoIsHere) starts") }
                let page = try await Page.load(number, from: port)
                if isAloud { say("\(whoIsHere) has finished") }
                return page.reposts
            }
        }
        return try await Future.all(of: futures).flatMap { $0 }
    }

    private static func check(_ reposts: [Page.Repost]) throws {
        let all = SlowServer.pages * SlowServer.repostsPerPage
        try expect(reposts.map(\.id), is: Array(1...all), "the reposts")
    }
}
