import Multiprocessing

// Code at the top level of main.swift belongs to the main actor, and so do the closures in it: a sequence
// that calls them may be used there and nowhere else.

let backend: any Backend = CommandLine.arguments.last == "threads" ? .threads : .processes
let divisor = 2
let even = (1...10).lazy.filter { $0 % divisor == 0 }
let pairs = (1...10).lazy.filter { $0 % divisor == 0 }.map { ($0, $0) }

struct Doubling: Job {
    let number: Int
    func run() -> Int { 2 * number }
}

let pool = try Pool(backend, workers: 2)
print("map", try await pool.map(even) { $0 + 1 })
print("map of chunks", try await pool.map(even, chunkSize: 2) { $0 + 1 })
print("map async", try await pool.map(even) { number async in number + 1 })
print("map of pairs", try await pool.map(pairs) { $0 * $1 })
print("map with", try await pool.map(even, with: 10) { $0 + $1 })
print("map of jobs", try await pool.map(even.map { Doubling(number: $0) }))
try await pool.forEach(even) { _ in }
try await pool.forEach(pairs) { _, _ in }
try await pool.forEach(even, with: 10) { _, _ in }

var values: [Int] = []
for try await value in pool.stream(even, { $0 + 1 }) { values.append(value) }
print("stream", values)
values = []
for try await value in pool.stream(pairs, chunkSize: 2, order: .completion, { $0 * $1 }) { values.append(value) }
print("stream of pairs", values.sorted())
values = []
for await result in pool.results(even, { $0 + 1 }) { values.append(try result.get()) }
print("results", values)
values = []
for await result in pool.results(even.map { Doubling(number: $0) }) { values.append(try result.get()) }
print("results of jobs", values)

let futures = even.map { number in pool.submit(number) { $0 + 1 } }
print("all", try await Future.all(of: futures))
await pool.shutDown()
