import Multiprocessing

/// The same work on threads and in worker processes; `--backend` takes one of the two.
@main
struct Quickstart {
    static func main() async throws {
        let options = Options(CommandLine.arguments.dropFirst())
        for backend in options.backends {
            print("\n\(type(of: backend))")
            try await show(backend, workers: options.workers)
        }
    }

    static func show(_ backend: any Backend, workers: Int) async throws {
        let pool = try Pool(backend, workers: workers)

        // The same closure on either backend, with what it captures; its results say where it ran.
        let million = 1_000_000
        let lines = try await pool.map(1...4) { count in
            "\(primes(below: count * million)) primes below \(count) million, \(Worker.current!)"
        }
        for line in lines { print("  \(line)") }

        // A job carries its own state.
        print("  \(try await pool.run(Greeting(name: "pool")))")

        // A stream takes its input as fast as its results are taken, so the input may be endless.
        for try await power in pool.stream(0..., { 1 << $0 }) {
            print("  \(power)", terminator: power < 512 ? "" : "\n")
            if power >= 512 { break }
        }

        // A crash in a worker process is an error of the item. On threads it would end this program.
        if backend is ProcessBackend {
            do {
                print(try await pool.run([1, 2, 3]) { $0[3] })
            } catch let error as PoolError where error.code == .workerCrashed {
                print("  caught: \(error)")
            }
            print("  and the pool goes on: \(try await pool.map(1...3) { -$0 })")
        }
        await pool.shutDown()
    }
}

struct Greeting: Job {
    let name: String

    func run() -> String { "Hello, \(name)!" }
}

/// Counts primes with a sieve.
func primes(below limit: Int) -> Int {
    var isPrime = Array(repeating: true, count: limit)
    var count = 0
    for number in 2..<limit where isPrime[number] {
        count += 1
        for multiple in stride(from: number * number, to: limit, by: number) { isPrime[multiple] = false }
    }
    return count
}
