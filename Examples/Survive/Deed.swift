import Glibc

/// What an item does to the worker that runs it.
enum Deed: String, Codable, CaseIterable {
    case returns
    case throwsError = "throws an error"
    case fatalError = "calls fatalError"
    case unwrapsNil = "unwraps nil"
    case indexOutOfRange = "index out of range"
    case writesToNull = "writes to address 0"
    case overflowsStack = "overflows the stack"
    case exits = "calls exit(3)"
    case aborts = "calls abort()"
    case killsItself = "sends itself SIGKILL"
    case segfaultsItself = "sends itself SIGSEGV"

    /// How an item that does this has to end.
    var expected: Outcome.Kind {
        switch self {
        case .returns: .value
        case .throwsError: .error
        default: .crash
        }
    }

    /// Does it; returns only if it is harmless.
    func perform() throws {
        switch self {
        case .returns:
            break
        case .throwsError:
            throw Refusal(processID: getpid())
        case .fatalError:
            Swift.fatalError("an item that calls fatalError")
        case .unwrapsNil:
            _ = nothing!
        case .indexOutOfRange:
            _ = emptyList[7]
        case .writesToNull:
            let page = Int(getpagesize())
            (UnsafeMutableRawPointer(bitPattern: page)! - page).storeBytes(of: 1, as: Int.self)
        case .overflowsStack:
            print(depth(1))
        case .exits:
            exit(3)
        case .aborts:
            abort()
        case .killsItself:
            kill(getpid(), SIGKILL)
            // The signal is delivered before this process runs on; this is never reached.
            pause()
        case .segfaultsItself:
            // Again and again, because a runtime that writes a backtrace goes on after the first.
            while true { kill(getpid(), SIGSEGV) }
        }
    }

    // Not constants, because the compiler refuses or removes a fault that it can see.
    private var nothing: Int? { Int(rawValue) }
    private var emptyList: [UInt8] { rawValue.utf8.filter { $0 == 0 } }

    @inline(never)
    private func depth(_ count: Int) -> Int {
        // The call to getpid stays behind the recursion, which is why no loop can be made of it.
        count == .max ? count : depth(count + 1) &+ Int(getpid())
    }
}

/// The error of the items that throw; being `Codable` it arrives as what it is.
struct Refusal: Error, Codable {
    let processID: Int32
}
