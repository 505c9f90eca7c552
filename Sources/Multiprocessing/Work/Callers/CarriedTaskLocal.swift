import MultiprocessingCoding
import MultiprocessingRuntime

/// A task-local whose value goes with the work to worker processes, such as a trace's context.
///
/// A worker process sees nothing of its caller's task. What a pool is told to carry is encoded once a call
/// and bound around each of the call's items.
///
/// ```swift
/// enum Trace {
///     @TaskLocal static var context: TraceContext?
/// }
/// var configuration = Pool.Configuration()
/// configuration.carriedTaskLocals = [CarriedTaskLocal(Trace.$context)]
/// let pool = try Pool(.processes, configuration: configuration)
/// ```
public struct CarriedTaskLocal: Sendable {
    /// Encodes the value that the current task has.
    let encode: @Sendable (inout Outgoing) throws -> Void

    /// Names the task-local, and its type, for a worker process.
    let makeReference: @Sendable () throws -> [UInt8]

    /// Names a task-local to carry.
    ///
    /// - Parameter local: The task-local itself, `Trace.$context`: evaluated here and in each worker process, so
    ///   it has to be a static property.
    public init<Value: Codable & Sendable>(_ local: @autoclosure @escaping @Sendable () -> TaskLocal<Value>) {
        encode = { message in
            do {
                try Codec<Value>.resolve().encode(local().get(), into: &message)
            } catch let error as PoolError {
                throw error
            } catch {
                throw PoolError.notEncodable(Value.self, as: "task-local value", error)
            }
        }
        makeReference = {
            do {
                let closure = try CapturedClosure(FunctionWords(of: TaskLocalBox<Value>(local)))
                guard closure.reference.isEmpty else { throw NotPortable("it is no static property") }
                var bytes: [UInt8] = []
                closure.reference.encode(into: &bytes)
                try TypeReference(Value.self).encode(into: &bytes)
                bytes.seal()
                return bytes
            } catch let error as NotPortable {
                throw PoolError.taskLocalNotPortable(Value.self, error)
            }
        }
    }
}

/// The expression that names a task-local, as a function.
struct TaskLocalBox<Value: Sendable>: FunctionBoxing {
    static var isAsync: Bool { false }
    let body: @Sendable () -> TaskLocal<Value>
    init(_ body: @escaping @Sendable () -> TaskLocal<Value>) { self.body = body }
}

/// The task-locals that a pool carries to its worker processes, each with its name there.
struct TaskLocalCarrier: Sendable {
    private let locals: [(local: CarriedTaskLocal, reference: [UInt8])]

    /// - Throws: ``PoolError/Code/notPortable`` when a task-local has no name in another process.
    init(_ locals: [CarriedTaskLocal]) throws {
        self.locals = try locals.map { ($0, try $0.makeReference()) }
    }

    /// What a call shares, with the values of the calling task behind it.
    func context(behind context: SharedInput?) throws -> SharedInput {
        var message = Outgoing()
        let buffer = message.bytes
        context?.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        for (local, reference) in locals {
            buffer.append(UInt64(reference.count))
            reference.withUnsafeBytes { buffer.append(contentsOf: $0) }
            let start = buffer.count
            buffer.append(UInt64(0))
            try local.encode(&message)
            buffer.overwrite(at: start, with: UInt64(buffer.count - start - 8))
        }
        return SharedInput(message, behind: context)
    }
}
