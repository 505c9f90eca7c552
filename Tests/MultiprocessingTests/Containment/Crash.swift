import Glibc
import Multiprocessing
import Testing

/// A way in which work ends the process that it runs in.
enum Crash: String, Codable, CaseIterable, CustomTestStringConvertible, Sendable {
    case fatalError
    case forceUnwrap
    case indexOutOfRange
    case nullWrite
    case stackOverflow
    case exitThree
    case exitZero
    case abort
    case killed
    case segmentationFault

    var testDescription: String { rawValue }

    /// The signals that may end the process; none if it exits.
    var signals: Set<Int32> {
        switch self {
        case .fatalError, .forceUnwrap, .indexOutOfRange: [SIGILL, SIGTRAP]
        case .nullWrite, .stackOverflow, .segmentationFault: [SIGSEGV]
        case .abort: [SIGABRT]
        case .killed: [SIGKILL]
        case .exitThree, .exitZero: []
        }
    }

    var exitCode: Int32? {
        switch self {
        case .exitThree: 3
        case .exitZero: 0
        default: nil
        }
    }

    /// Ends the process.
    func happen() -> Never {
        switch self {
        case .fatalError: Swift.fatalError("the work gives up")
        case .forceUnwrap: unwrapNil(getenv("MULTIPROCESSING_NO_SUCH_VARIABLE"))
        case .indexOutOfRange: exit(Int32([1, 2, 3][Int(getpid())]))
        case .nullWrite: UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
        case .stackOverflow: exit(Int32(truncatingIfNeeded: recurse(Int(getpid()))))
        case .exitThree: exit(3)
        case .exitZero: exit(0)
        case .abort: Glibc.abort()
        case .killed: kill(getpid(), SIGKILL)
        case .segmentationFault: kill(getpid(), SIGSEGV)
        }
        // A signal to oneself may be taken by another thread, a moment later.
        while true { pause() }
    }

    /// Checks that an error tells of this crash, of a worker process.
    func expect(_ error: (any Error)?, of process: Int32? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let error = error as? PoolError else {
            Issue.record("\(String(describing: error)) is no PoolError", sourceLocation: sourceLocation)
            return
        }
        #expect(error.code == .workerCrashed, sourceLocation: sourceLocation)
        #expect(error.exitCode == exitCode, sourceLocation: sourceLocation)
        if let signal = error.signal {
            #expect(signals.contains(signal), sourceLocation: sourceLocation)
        } else {
            #expect(signals.isEmpty, "\(error) names no signal", sourceLocation: sourceLocation)
        }
        if let process {
            #expect(error.processID == process, sourceLocation: sourceLocation)
        } else {
            #expect((error.processID ?? 0) > 0, sourceLocation: sourceLocation)
        }
        if self == .fatalError {
            #expect(error.standardError?.contains("the work gives up") == true, sourceLocation: sourceLocation)
        }
    }
}

/// Not optimized into a trap of its own, because the value is the caller's.
@inline(never)
private func unwrapNil(_ pointer: UnsafeMutablePointer<CChar>?) -> Never {
    exit(Int32(pointer!.pointee))
}

/// Never ends: each call keeps a buffer that the one below it is told of.
@inline(never)
private func recurse(_ depth: Int) -> Int {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { buffer in
        buffer.initialize(repeating: depth)
        return recurse(buffer[depth & 511] &+ 1) &+ buffer[(depth &+ 1) & 511]
    }
}

extension Result where Failure == any Error {
    var failure: (any Error)? {
        if case .failure(let error) = self { error } else { nil }
    }

    var success: Success? { try? get() }
}

func values<Output>(of futures: [Future<Output>]) async throws -> [Output] {
    var values: [Output] = []
    for future in futures { values.append(try await future.value) }
    return values
}
