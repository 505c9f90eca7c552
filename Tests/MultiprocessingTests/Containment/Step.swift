import Glibc
import Multiprocessing

/// An item that notes that it runs, and then does what it is told.
struct Step: Job {
    let index: Int
    let notebook: Notebook
    var ending = Ending.value(bytes: 0)

    enum Ending: Codable {
        /// A value of this many bytes.
        case value(bytes: Int)
        case failure
        case crash(Crash)
    }

    struct Failure: Error, Codable, Equatable {
        let index: Int
    }

    struct Output: Codable, Equatable {
        let index: Int
        let bytes: [UInt8]
    }

    func run() throws -> Output {
        notebook.write("\(index)")
        switch ending {
        case .value(let count): return Output(index: index, bytes: Array(repeating: UInt8(index & 0xFF), count: count))
        case .failure: throw Failure(index: index)
        case .crash(let crash): crash.happen()
        }
    }

    /// Whether a result is what this item gives.
    func gives(_ result: Result<Output, any Error>) -> Bool {
        switch (ending, result) {
        case (.value(let count), .success(let output)):
            output.index == index && output.bytes.consists(of: UInt8(index & 0xFF), count: count)
        case (.failure, .failure(let error)):
            error as? Failure == Failure(index: index)
        case (.crash, .failure(let error)):
            (error as? PoolError)?.code == .workerCrashed
        default:
            false
        }
    }
}

extension [UInt8] {
    /// Whether these are `count` bytes that are all the same.
    func consists(of byte: UInt8, count: Int) -> Bool {
        guard self.count == count, let first else { return self.count == count }
        // Compared with itself, one place on: a loop over megabytes takes seconds in a debug build.
        return first == byte
            && withUnsafeBytes { bytes in memcmp(bytes.baseAddress!, bytes.baseAddress! + 1, count - 1) == 0 }
    }
}
