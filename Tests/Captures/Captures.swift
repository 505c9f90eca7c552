@preconcurrency import Glibc
import Multiprocessing

/// A program that captures values of types that it uses for nothing else, for tests that build it optimized.
///
/// An optimizer leaves out what a program needs not, above all the metadata of types, so each type stands for one
/// shape and nothing prints, compares or stores its values: closures return what they saw as a number.
///
/// It prints a line for each shape, which ends in "ok" or says what was wrong.
@main
enum Captures {
    static func main() async throws {
        setvbuf(stdout, nil, _IOLBF, 0)
        let cases =
            plainCases() + nestedCases() + clockCases() + enumCases() + codingCases() + objectCases()
            + foundationCases()
        let (threads, processes) = (try Pool(.threads, workers: 1), try Pool(.processes, workers: 2))
        var failures = 0
        for item in cases {
            let here = await item.problem(on: threads, isProcesses: false)
            let there = await item.problem(on: processes, isProcesses: true)
            if here != nil || there != nil { failures += 1 }
            print("\(item.name): \(here.map { "threads: \($0)" } ?? there ?? "ok")")
        }
        await threads.shutDown()
        await processes.shutDown()
        print(failures == 0 ? "all ok" : "\(failures) failed")
    }
}

/// A number that the optimizer does not know; one, if the program was started as tests start it.
let one = CommandLine.arguments.count

/// A closure, and what it has to return.
struct Case: Sendable {
    enum Expectation {
        case value(Int)
        /// On processes; the error's message holds all of these.
        case refusal([String])
        /// Either, on processes: an optimized build may keep too little.
        case valueOrCure(Int)
    }

    let name: String
    let expectation: Expectation
    let body: @Sendable (Int) async throws -> Int

    init(_ name: String, _ value: Int, _ body: @escaping @Sendable (Int) async throws -> Int) {
        (self.name, self.expectation, self.body) = (name, .value(value), body)
    }

    init(_ name: String, refused: String..., body: @escaping @Sendable (Int) async throws -> Int) {
        (self.name, self.expectation, self.body) = (name, .refusal(refused), body)
    }

    init(_ name: String, orCure value: Int, _ body: @escaping @Sendable (Int) async throws -> Int) {
        (self.name, self.expectation, self.body) = (name, .valueOrCure(value), body)
    }

    func problem(on pool: Pool, isProcesses: Bool) async -> String? {
        do {
            // Twice, for what is only right the first time.
            let values = [try await pool.run(10, body), try await pool.run(10, body)]
            switch expectation {
            case .value(let value), .valueOrCure(let value):
                return values == [value, value] ? nil : "returned \(values) for \(value)"
            case .refusal:
                return isProcesses ? "returned \(values) for a refusal" : nil
            }
        } catch let error as PoolError where error.code == .notPortable {
            switch expectation {
            case .value:
                return error.message
            case .refusal(let parts):
                return parts.allSatisfy { error.message.contains($0) } ? nil : "said: \(error.message)"
            case .valueOrCure:
                return error.message.contains("Portable, or mark it") ? nil : "said: \(error.message)"
            }
        } catch {
            return "threw \(error)"
        }
    }
}

/// The sum, without the time that the compiler takes for a long one.
func total(_ numbers: Int...) -> Int { numbers.reduce(0, +) }
