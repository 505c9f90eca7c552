import Glibc
import Multiprocessing

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
    case hangsInLoop = "hangs in a tight loop"
    case ignoresTermination = "hangs, ignores SIGTERM"
    case startsProgram = "starts a program, hangs"
    case eatsMemory = "takes memory for ever"
    case leaks = "leaks 64 MiB"
    case failsAtFirst = "fails, works if retried"

    /// How an item that does this has to end.
    var expected: Outcome.Kind {
        switch self {
        case .returns, .leaks, .failsAtFirst: .value
        case .throwsError: .error
        case .hangsInLoop, .ignoresTermination, .startsProgram: .timeOut
        case .eatsMemory: .memory
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
        case .failsAtFirst:
            if Worker.current?.attempt == 1 { throw Hiccup() }
        case .hangsInLoop, .ignoresTermination, .startsProgram:
            try hang()
        case .eatsMemory:
            while true { take(mebibytes: 8) }
        case .leaks:
            take(mebibytes: 64)
        default:
            crash()
        }
    }

    private func hang() throws {
        if self == .ignoresTermination { signal(SIGTERM, SIG_IGN) }
        if self == .startsProgram { try startProgram() }
        // Not a loop that counts: the optimizer may take one without effects out.
        while true {}
    }

    private func crash() {
        switch self {
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
        default:
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

    /// Takes memory and writes to all of it; nobody gives it back.
    private func take(mebibytes: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: mebibytes << 20, alignment: 16)
        memset(memory, 1, (mebibytes << 20) - 1)
        memory.storeBytes(of: 0, toByteOffset: (mebibytes << 20) - 1, as: UInt8.self)
        // Looked at by somebody the optimizer does not see through: what nobody looks at need not be taken.
        access(memory.assumingMemoryBound(to: CChar.self), F_OK)
    }

    /// Starts a program that would outlive everything, as a C library might.
    private func startProgram() throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("1000"), nil]
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        guard posix_spawn(&process, "/bin/sleep", nil, nil, &arguments, nil) == 0 else {
            throw Refusal(processID: getpid())
        }
    }
}

/// The error of the items that throw; being `Codable` it arrives as what it is.
struct Refusal: Error, Codable {
    let processID: Int32
}

/// The error of a first attempt, after which a second one is made.
struct Hiccup: Error, Codable {}
