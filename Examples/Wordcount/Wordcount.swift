import Glibc
import Multiprocessing

/// Counts the words of every text file under some paths: on threads, in processes or serially.
///
/// A word is a run of the letters A–Z and a–z, in lower case, so the same counts come from
/// `tr -cs A-Za-z '\n' | tr A-Z a-z | sort | uniq -c`.
@main
struct Wordcount {
    static func main() async throws {
        do {
            try await run(Options(Array(CommandLine.arguments.dropFirst())))
        } catch let misuse as Misuse {
            writeError("wordcount: \(misuse.reason)\n\(Options.usage)\n")
            exit(2)
        }
    }

    private static func run(_ options: Options) async throws {
        let start = ContinuousClock.now
        let tree = FileTree(options.paths)
        let summary = try await count(Portion.dividing(tree.files), options).finished(tree.problems)
        let duration = start.duration(to: .now)

        for problem in summary.problems { writeError("wordcount: \(problem)\n") }
        summary.write(top: options.top)
        print(throughput(summary.byteCount, duration, options.mode))
    }

    /// Counts all portions, in whatever order they end.
    private static func count(_ portions: [Portion], _ options: Options) async throws -> Totals {
        var totals = Totals()
        guard let backend = options.backend else {
            for portion in portions { totals.add(portion.run()) }
            return totals
        }
        let pool = try Pool(backend, workers: options.workers)
        let bar = ProgressBar("Counting")
        for try await tally in pool.stream(portions, order: .completion, options: .progress(bar.update)) {
            totals.add(tally)
        }
        await pool.shutDown()
        return totals
    }

    private static func throughput(_ byteCount: Int, _ duration: Duration, _ mode: Options.Mode) -> String {
        let seconds = duration / .seconds(1)
        let megabytes = Double(byteCount) / 1e6
        return "\(rounded(megabytes)) MB in \(rounded(seconds)) s, \(rounded(megabytes / seconds)) MB/s (\(mode))"
    }

    private static func rounded(_ number: Double) -> Double {
        (number * 100).rounded() / 100
    }
}
