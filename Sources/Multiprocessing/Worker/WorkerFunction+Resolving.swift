import MultiprocessingCoding
import MultiprocessingRuntime

extension FunctionDefinition {
    /// Finds in this process the function that a definition names, and the variables of main.swift that it can reach.
    ///
    /// What is not here, or is another here, fails the work that needs it and not the worker: a library can
    /// be loaded in one process alone, or be replaced by another build before this one started.
    ///
    /// - Throws: When the bytes name nothing at all.
    static func resolve(_ bytes: [UInt8]) throws -> (any WorkerFunction, variables: [UInt32]) {
        do {
            let contents = try decode(bytes)
            return (try function(contents), contents.variables)
        } catch let error as NotPortable {
            return (RefusedFunction(error), [])
        }
    }

    private static func function(_ contents: Contents) throws -> any WorkerFunction {
        switch (contents.role, contents.type, contents.code) {
        case (.item, let box as any ItemBox.Type, let code?): return try item(box, code)
        case (.sharing, let box as any SharingBox.Type, let code?): return try sharing(box, code)
        case (.job, let type as any Job.Type, _): return try job(type)
        case (.voidJob, let type as any VoidJob.Type, _): return try voidJob(type)
        default: throw PortableFailure.unknownFunction
        }
    }

    private static func item<Box: ItemBox>(_: Box.Type, _ code: ClosureShape) throws -> any WorkerFunction {
        try TypedWorkerFunction<Box.Input, Box.Output> { incoming in
            let box: Box = try rebuild(code, from: &incoming)
            return box.itemBody
        }
    }

    private static func sharing<Box: SharingBox>(_: Box.Type, _ code: ClosureShape) throws -> any WorkerFunction {
        try TypedWorkerFunction<Box.First, Box.Output> { incoming in
            let box: Box = try rebuild(code, from: &incoming)
            return box.itemBody(sharing: try decode(from: &incoming))
        }
    }

    private static func job<J: Job>(_: J.Type) throws -> any WorkerFunction {
        try TypedWorkerFunction<J, J.Output> { _ in .asynchronous { try await $0.run() } }
    }

    private static func voidJob<J: VoidJob>(_: J.Type) throws -> any WorkerFunction {
        try TypedWorkerFunction<J, Void> { _ in .asynchronous { try await $0.run() } }
    }

    /// Puts a closure together, with the captures that lie ahead.
    private static func rebuild<Box: ItemBox>(_ code: ClosureShape, from incoming: inout Incoming) throws -> Box {
        let words = try code.rebuild(from: &incoming)
        guard words.isAsync == Box.isAsync else { throw PortableFailure.unknownFunction }
        return words.box()
    }

    private static func decode<Shared>(from incoming: inout Incoming) throws -> Shared {
        do {
            return try Codec<Shared>.resolve().decode(from: &incoming)
        } catch {
            throw PoolError.notDecodable(Shared.self, as: "shared value", error)
        }
    }
}
