import Glibc
import Multiprocessing

/// How an item ended, as the pool tells it.
struct Outcome: CustomStringConvertible {
    enum Kind {
        case value
        case error
        case crash
        case timeOut
        case memory
        /// Anything else: there is no such item in this program.
        case other
    }

    let kind: Kind
    let description: String
    let processID: Int32?

    init(_ result: Result<Int32, any Error>) {
        switch result {
        case .success(let worker):
            self.init(.value, "value", worker)
        case .failure(let error as Refusal):
            self.init(.error, "error Refusal", error.processID)
        case .failure(let error as PoolError):
            self.init(error)
        case .failure(let error):
            self.init(.other, "\(error)", nil)
        }
    }

    private init(_ error: PoolError) {
        switch error.code {
        case .workerCrashed:
            self.init(.crash, "crash, \(Self.reason(error))", error.processID)
        case .timedOut:
            self.init(.timeOut, "timed out after \(error.limit.map { "\($0)" } ?? "?")", error.processID)
        case .memoryLimitExceeded:
            self.init(.memory, "more memory than \(error.memoryLimit.map { "\($0)" } ?? "?")", error.processID)
        default:
            self.init(.other, "\(error)", nil)
        }
    }

    private init(_ kind: Kind, _ description: String, _ processID: Int32?) {
        self.kind = kind
        self.description = description
        self.processID = processID
    }

    private static func reason(_ error: PoolError) -> String {
        if let signal = error.signal { return "signal \(signal) (\(String(cString: strsignal(signal))))" }
        if let exitCode = error.exitCode { return "exit code \(exitCode)" }
        return error.message
    }
}
