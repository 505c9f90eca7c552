import Glibc
import Multiprocessing
import TestSupport
import Testing
import XCTest

/// On threads the testing library sees what work records itself; the tests here are of worker processes.
@Suite("Issues that work records in a worker process", .serialized, .admitted)
struct RecordedIssuesTests {
    /// Ways to record an issue.
    enum Kind: String, CaseIterable, Codable, Sendable {
        case expectation
        case requirement
        case recorded
        case error
        case assertion
        case failure
        case unwrapping

        /// What the failure says beside the place.
        var text: String {
            switch self {
            case .expectation, .requirement: "Expectation failed: (number → 3) == 4"
            case .recorded: "strange \"number\" 😀"
            case .error: "Caught error"
            case .assertion: "XCTAssertEqual failed: (\"3\") is not equal to (\"4\") - compared"
            case .failure: "failed - gave up"
            case .unwrapping: "XCTUnwrap failed: expected non-nil value of type \"Int\""
            }
        }

        func record(_ number: Int) throws {
            switch self {
            case .expectation: #expect(number == 4)
            case .requirement: try #require(number == 4)
            case .recorded: Issue.record("strange \"number\" 😀")
            case .error: Issue.record(NumberError(number: number))
            case .assertion: XCTAssertEqual(number, 4, "compared")
            case .failure: XCTFail("gave up")
            case .unwrapping: _ = try XCTUnwrap(number == 3 ? nil : number)
            }
        }
    }

    struct NumberError: Error, Codable {
        let number: Int
    }

    @Test("An item in which one is recorded fails, and the next one does not", arguments: Kind.allCases)
    func failsItem(_ kind: Kind) async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let process = try await pool.run { getpid() }
            let error =
                await pool.submit(kind) { kind -> String in
                    try kind.record(3)
                    return "value"
                }.result.failure as? PoolError
            #expect(error?.code == .issueRecorded)
            #expect(error?.processID == process)
            #expect(error?.message.contains(kind.text) == true, "\(error?.message ?? "no error")")
            #expect(error?.errorDescription?.contains("RecordedIssuesTests.swift:") == true)
            let next = try await pool.run { getpid() }
            #expect(next == process)
        }
    }

    @Test("In asynchronous work, in work without a result and on other threads of the worker too")
    func otherShapes() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let asynchronous = await pool.submit { () async throws -> String in
                await Task.yield()
                await Task.detached { #expect(Bool(false)) }.value
                return "value"
            }.result.failure
            #expect((asynchronous as? PoolError)?.code == .issueRecorded)
            let procedure = await pool.submit { XCTFail("nothing") }.result.failure
            #expect((procedure as? PoolError)?.code == .issueRecorded)
        }
    }

    @Test("Of many items, the one that recorded it fails")
    func oneOfMany() async throws {
        try await TestBackend.processes.withPool(workers: 2) { pool in
            var failed: [Int] = []
            var index = 0
            for await result in pool.results(
                0..<100, chunkSize: 10,
                { number -> Int in
                    #expect(number != 37)
                    XCTAssertNotEqual(number, 73)
                    return number
                })
            {
                if case .success(let value) = result { #expect(value == index) } else { failed.append(index) }
                index += 1
            }
            #expect(failed == [37, 73])

            let error = await #expect(throws: PoolError.self) {
                try await pool.map(0..<10) { number -> Int in
                    #expect(number != 7)
                    return number
                }
            }
            #expect(error?.code == .issueRecorded)
        }
    }

    @Test("It says more than the error that the item throws behind it")
    func beforeError() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let error = await pool.submit { () -> Int in
                XCTFail("first")
                throw NumberError(number: 1)
            }.result.failure
            #expect((error as? PoolError)?.code == .issueRecorded)
            let thrown = await pool.submit { () -> Int in throw NumberError(number: 2) }.result.failure
            #expect((thrown as? NumberError)?.number == 2)
        }
    }

    @Test("A known issue, a warning and an expectation that holds fail nothing")
    func harmless() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let value = try await pool.run(3) { number -> Int in
                withKnownIssue { #expect(number == 4) }
                Issue.record("mind the number", severity: .warning)
                #expect(number == 3)
                XCTAssertEqual(number, 3)
                return number
            }
            #expect(value == 3)
        }
    }
}
