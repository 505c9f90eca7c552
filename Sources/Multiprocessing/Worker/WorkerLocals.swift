import Dispatch
import Synchronization

/// The values of ``WorkerLocal`` that one worker has made.
final class WorkerLocals: Sendable {
    /// Those of this process, as far as they are no thread's.
    static let ofProcess = WorkerLocals()

    /// Those of the worker that runs the calling code.
    static var current: WorkerLocals { ThreadPlace.current?.locals ?? ofProcess }

    private static let count = Atomic<UInt64>(0)

    /// A number that no other ``WorkerLocal`` of this process has or had.
    static func makeNumber() -> UInt64 { count.wrappingAdd(1, ordering: .relaxed).newValue }

    private struct State {
        var cells: [UInt64: any AnyObject & Sendable] = [:]
        /// Those that have a value, in the order in which it was made.
        var made: [UInt64] = []
    }

    private let state = Mutex(State())

    /// What is being made up the stack.
    @TaskLocal private static var making: Set<UInt64> = []

    init() {}

    deinit { tearDown() }

    /// Whether there is nothing to let go of.
    var isEmpty: Bool { state.withLock { $0.made.isEmpty } }

    func value<Value>(_ number: UInt64, _ make: () throws -> Value) throws -> Value {
        let cell = state.withLock { state in
            if let known = state.cells[number] { return known }
            let cell = Cell<Value>()
            state.cells[number] = cell
            return cell
        }
        // Filed under the number of the one WorkerLocal that asks with it, which has one type.
        return try unsafeDowncast(cell, to: Cell<Value>.self).value {
            let value = try Self.$making.withValue(Self.making.union([number])) { try make() }
            state.withLock { $0.made.append(number) }
            return value
        } isMaking: {
            Self.making.contains(number)
        }
    }

    /// Lets go of the values, the last first; who asks from then on has a new one made.
    func tearDown() {
        while true {
            // Let go of outside of the lock, for what goes with it may be anything.
            let cell: (any AnyObject & Sendable)? = state.withLock { state in
                state.made.popLast().flatMap { state.cells.removeValue(forKey: $0) }
            }
            if cell == nil { return }
        }
    }

    /// The place of one value.
    private final class Cell<Value>: Sendable {
        // Sendable is unchecked because the value is its worker's: WorkerLocal says who may use it.
        private final class Made: @unchecked Sendable {
            let value: Value
            init(_ value: Value) { self.value = value }
        }

        private enum Phase {
            case empty
            /// By one thread; the others wait.
            case making([DispatchSemaphore])
            case made(Made)
        }

        private enum Step {
            case make
            case wait(DispatchSemaphore)
            case take(Made)
        }

        private let phase = Mutex(Phase.empty)

        func value(_ make: () throws -> Value, isMaking: () -> Bool) throws -> Value {
            while true {
                switch next() {
                case .take(let made): return made.value
                case .wait(let end):
                    // Up the stack: that would be waited for for ever.
                    if isMaking() { throw PoolError.workerLocalAsksForItself }
                    end.wait()
                case .make:
                    do {
                        let made = Made(try make())
                        settle(.made(made))
                        return made.value
                    } catch {
                        settle(.empty)
                        throw error
                    }
                }
            }
        }

        private func next() -> Step {
            phase.withLock { phase in
                switch phase {
                case .empty:
                    phase = .making([])
                    return .make
                case .making(let waiters):
                    let end = DispatchSemaphore(value: 0)
                    phase = .making(waiters + [end])
                    return .wait(end)
                case .made(let made):
                    return .take(made)
                }
            }
        }

        private func settle(_ end: Phase) {
            let waiters = phase.withLock { phase in
                defer { phase = end }
                if case .making(let waiters) = phase { return waiters }
                return []
            }
            for waiter in waiters { waiter.signal() }
        }
    }
}

extension PoolError {
    fileprivate static var workerLocalAsksForItself: PoolError {
        PoolError(
            .invalidArgument,
            "the closure of a WorkerLocal asks for that WorkerLocal's value, which it is to make; make it without")
    }
}
