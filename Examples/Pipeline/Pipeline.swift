import Glibc
import Multiprocessing
import Synchronization

/// Counts the bytes of files: producers read them, consumers count, a shared histogram keeps the sums.
///
/// In the middle of it a consumer is killed. The file that it had is delivered again to another, and the sums are right.
@main
enum Pipeline {
    /// A file on its way from a producer to a consumer.
    struct File: Codable, Sendable {
        let number: Int
        let bytes: [UInt8]
    }

    /// What the producers and the consumers are given: all of it is shared, wherever they run.
    struct Shared: Codable, Sendable {
        let paths: [String]
        let producers: Int
        let queue: SharedQueue<File>
        let histogram: Histogram
        /// How many files were delivered a second time, because the consumer that had them died.
        let redelivered: SharedValue<Int>
    }

    static func main() async {
        do {
            try await count(try Options(Array(CommandLine.arguments.dropFirst())))
        } catch let error as Misuse {
            complain("\(error.reason)\n\(Options.usage)")
            exit(2)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func complain(_ text: String) {
        Array("pipeline: \(text)\n".utf8).withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func count(_ options: Options) async throws {
        let paths = try options.paths.flatMap { try FileReader.files(below: $0) }
        let shared = Shared(
            paths: paths, producers: options.producers, queue: try SharedQueue(capacity: 32),
            histogram: try Histogram(files: paths.count), redelivered: try SharedValue(0))
        print("\(paths.count) files, \(options.producers) producers, \(options.consumers) consumers")

        // A consumer that dies runs again in a new process; one that works is not hurt by that.
        let consumers = try Crew(
            options.backend, workers: options.consumers, shared,
            options: .retry(.attempts(3, delay: .none, on: [.workerCrashed]))
        ) { try await consume($0) }
        let producers = try Crew(options.backend, workers: options.producers, shared) { try await produce($0) }

        if options.isOnProcesses { try await killOne(of: consumers, when: shared) }
        try await producers.join()
        shared.queue.close()
        let counted = try await consumers.join()
        print("files counted by each consumer: \(counted)")
        try await check(shared)
    }

    /// Reads every file that is this producer's, and sends it on; waits while the queue is full.
    private static func produce(_ shared: Shared) async throws {
        let index = Worker.current?.index ?? 0
        for number in stride(from: index, to: shared.paths.count, by: shared.producers) {
            try await shared.queue.send(File(number: number, bytes: try FileReader.read(shared.paths[number])))
        }
    }

    /// Counts files until there are no more.
    ///
    /// - Returns: How many.
    private static func consume(_ shared: Shared) async throws -> Int {
        var count = 0
        while let lease = try await next(shared.queue) {
            // Not under the value's lock, with which a process could die.
            if lease.isRedelivered { shared.redelivered.withAtomic { _ = $0.wrappingAdd(1, ordering: .relaxed) } }
            let file = lease.value
            if try await shared.histogram.add(FileReader.counts(file.bytes), of: file.number) { count += 1 }
            try lease.complete()
        }
        return count
    }

    /// The next file; `nil` when the queue was closed and is empty.
    private static func next(_ queue: SharedQueue<File>) async throws -> SharedQueueLease<File>? {
        do {
            return try await queue.lease()
        } catch let error as SharedStateError where error.code == .closed {
            return nil
        }
    }

    /// Kills a consumer in the middle of its work, as a bad C library or the kernel might.
    private static func killOne(of consumers: Crew<Int>, when shared: Shared) async throws {
        let enough = min(10, shared.paths.count / 4)
        while try await shared.histogram.read().files < enough { try await Task.sleep(for: .milliseconds(1)) }
        guard let process = consumers.processIDs.randomElement() else { return }
        kill(process, SIGKILL)
        print("killed the consumer with process id \(process)")
    }

    private static func check(_ shared: Shared) async throws {
        let (counts, files) = try await shared.histogram.read()
        var expected = [Int](repeating: 0, count: 256)
        for path in shared.paths {
            for (value, count) in FileReader.counts(try FileReader.read(path)).enumerated() { expected[value] += count }
        }
        let total = counts.reduce(0, +)
        let most = counts.indices.sorted { counts[$0] > counts[$1] }.prefix(8)
        for value in most where counts[value] > 0 {
            let name = value > 32 && value < 127 ? "'\(UnicodeScalar(UInt8(value)))'" : "\(value)"
            print("\(String(repeating: " ", count: 6 - name.count))\(name)  \(counts[value])")
        }
        print("\(files) files, \(total) bytes; \(try await shared.redelivered.load()) delivered again")
        guard counts == expected, files == shared.paths.count else {
            throw WrongSums(counted: total, expected: expected.reduce(0, +))
        }
        print("the sums are those of a count without workers")
    }
}

/// What must not happen.
struct WrongSums: Error, CustomStringConvertible {
    let counted: Int
    let expected: Int

    var description: String { "the sums are wrong: \(counted) bytes were counted, and there are \(expected)" }
}
