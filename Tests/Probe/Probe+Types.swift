import Glibc
import Multiprocessing

extension Probe {
    /// Runs an item in a worker, and once the flag is raised another in a worker that starts then.
    static func replaced() async throws {
        for step in ["first", "second"] {
            let pool = try Pool(.processes, workers: 1)
            do {
                print("\(step) \(try await pool.run { 42 })")
            } catch {
                print("\(step) \(error)")
            }
            await pool.shutDown()
            if step == "first" { print("ready") }
            while !FileFlag.isRaised { usleep(500) }
        }
    }

    /// Sends values of every depth to a worker and back.
    static func deep() async throws {
        let pool = try Pool(.processes, workers: 1)
        for depth in [10, 100, 490, 512, 2_000] {
            do {
                let value = try await pool.run(Nested(depth: depth)) { $0 }
                print("\(depth) \(value.depth == depth)")
            } catch let error as PoolError {
                print("\(depth) \(error.message.contains("nested"))")
            }
        }
        await pool.shutDown()
    }

    /// Receives a large array inside a structure when there is memory for it once, and not twice.
    static func short() async throws {
        struct Image: Codable { var pixels: [UInt8] }
        let pool = try Pool(.processes, workers: 1)
        _ = try await pool.run { 1 }
        // The worker is started already, so the limit is the parent's alone.
        var pages = 0
        if let file = fopen("/proc/self/statm", "r") {
            withUnsafeMutablePointer(to: &pages) { pages in
                withVaList([OpaquePointer(pages)]) { _ = vfscanf(file, "%ld", $0) }
            }
            fclose(file)
        }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        limit.rlim_cur = rlim_t(pages * 4_096 + (300 << 20))
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        do {
            let image = try await pool.run { Image(pixels: [UInt8](repeating: 7, count: 200 << 20)) }
            print("image \(image.pixels.count)")
        } catch let error as PoolError {
            print("\(error.code) \(error.message.contains("no memory"))")
        }
        print("next \(try await pool.run { 2 })")
        await pool.shutDown()
    }
}

/// A value that codes itself through single-value containers, as values of JSON do.
private indirect enum Nested: Codable, Sendable {
    case leaf
    case list([Nested])

    init(depth: Int) {
        self = (0..<depth).reduce(.leaf) { inner, _ in .list([inner]) }
    }

    var depth: Int {
        var depth = 0
        var value = self
        while case .list(let list) = value, let next = list.first {
            value = next
            depth += 1
        }
        return depth
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .leaf : .list(try container.decode([Nested].self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .leaf: try container.encodeNil()
        case .list(let list): try container.encode(list)
        }
    }
}
