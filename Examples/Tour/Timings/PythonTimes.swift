import Glibc
import Multiprocessing

/// The times of the same work in Python's pools, on this machine and in the same run.
enum PythonTimes {
    /// By the names of the rows; empty if there is no Python 3, or it does not come to an end.
    static func factorials(on stage: Stage, workers: [Int], runs: Int) throws -> [String: Double] {
        try times(["factorials", stage.place, list(workers), "\(runs)"])
    }

    /// By the names of the rows; empty as above.
    static func crawl(on stage: Stage, port: UInt16, workers: [Int]) throws -> [String: Double] {
        try times(["crawl", stage.place, list(workers), "\(port)"])
    }

    private static func list(_ workers: [Int]) -> String { workers.map { "\($0)" }.joined(separator: ",") }

    private static func times(_ arguments: [String]) throws -> [String: Double] {
        let command = """
            command -v python3 >/dev/null && command -v timeout >/dev/null || exit 0
            exec timeout 60 python3 - \(arguments.joined(separator: " ")) <<'END'
            \(script)
            END
            """
        guard let stream = popen(command, "re") else { throw Wrong(description: "no shell for Python") }
        var text: [UInt8] = []
        while true {
            let byte = fgetc(stream)
            if byte == EOF { break }
            text.append(UInt8(truncatingIfNeeded: byte))
        }
        guard pclose(stream) == 0 else {
            say("(no times of Python: it has failed, or has not ended within a minute)")
            return [:]
        }
        var times: [String: Double] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":")
            if parts.count == 2 { times["\(parts[0])"] = Double(parts[1]) }
        }
        return times
    }

    private static let script = """
        import json, math, multiprocessing, multiprocessing.dummy, sys, time, urllib.request

        kind, place, counts, last = sys.argv[1:]
        counts = [int(count) for count in counts.split(",")]
        processes = multiprocessing.get_context("fork").Pool
        make = processes if place == "processes" else multiprocessing.dummy.Pool

        def measure(name, runs, work):
            times = []
            for _ in range(runs):
                start = time.perf_counter()
                result = work()
                times.append(time.perf_counter() - start)
            print("%s:%f" % (name, min(times) * 1000), flush=True)
            return result

        def page(number):
            with urllib.request.urlopen("http://127.0.0.1:%s/page/%d" % (last, number)) as answer:
                return json.load(answer)

        def pages():
            return range(1, 1 + min(page(1)["total_number"] // 200, 10))

        def compute(pool, way, work, inputs):
            if way == "apply":
                return [pool.apply(work, (x,)) for x in inputs]
            if way == "apply_async":
                return [result.get() for result in [pool.apply_async(work, (x,)) for x in inputs]]
            if way == "map":
                return pool.map(work, inputs)
            return pool.map_async(work, inputs).get()

        def pooled(count, way, work, inputs):
            pool = make(count)
            results = compute(pool, way, work, inputs())
            pool.close()
            pool.join()
            return results

        def table(work, inputs, runs, ways):
            expected = measure("serial", runs, lambda: [work(x) for x in inputs()])
            for count in counts:
                if kind == "factorials":
                    measure("no work, %d workers" % count, runs, lambda: pooled(count, "map", work, list))
                for way in ways if kind == "factorials" or count in (1, 4, 10) else ["apply_async"]:
                    name = "%s, %d workers" % (way, count)
                    assert measure(name, runs, lambda: pooled(count, way, work, inputs)) == expected

        if kind == "factorials":
            table(math.factorial, lambda: range(1, 101), int(last), ["apply", "apply_async", "map", "map_async"])
        else:
            measure("one page", 1, lambda: page(1))
            table(page, pages, 1, ["apply", "apply_async"])
        """
}
