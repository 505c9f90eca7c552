import MultiprocessingCoding
import MultiprocessingRuntime

/// The task-local values that came with a call, in the worker process that runs its items.
final class CarriedValues {
    private let values: [any CarriedValue]

    /// Reads what ``TaskLocalCarrier/context(behind:)`` wrote; `nil` if that is nothing.
    init?(from incoming: inout Incoming) throws {
        guard !incoming.reader.isAtEnd else { return nil }
        var values: [any CarriedValue] = []
        while !incoming.reader.isAtEnd {
            var name = try ReferenceReader(sealed: Array(try incoming.reader.readItem()))
            let closure = try ClosureShape(decoding: &name)
            let type = try TypeReference(decoding: &name).resolve()
            guard name.isAtEnd, closure.isEmpty else { throw PortableFailure.unknownFunction }
            var nothing = Incoming(UnsafeRawBufferPointer(start: nil, count: 0), from: incoming.sender)
            let words = try closure.rebuild(from: &nothing)
            var value = Incoming(try incoming.reader.readItem(), from: incoming.sender)
            func make<Value: Sendable>(_: Value.Type) throws -> any CarriedValue {
                try TypedCarriedValue<Value>(words, from: &value)
            }
            // Safe: only values of a Sendable type are carried, which cannot be asked for at run time.
            values.append(try _openExistential(unsafeBitCast(type, to: (any Sendable.Type).self), do: make))
        }
        self.values = values
    }

    /// Calls `body` where the caller is, with all values bound.
    func bind(
        isolation: isolated (any Actor)? = #isolation,
        _ body: nonisolated(nonsending) () async -> Void
    ) async {
        await bind(values[...], isolation: isolation, body)
    }

    private func bind(
        _ rest: ArraySlice<any CarriedValue>,
        isolation: isolated (any Actor)?,
        _ body: nonisolated(nonsending) () async -> Void
    ) async {
        guard let first = rest.first else { return await body() }
        await first.bind(isolation: isolation) { await bind(rest.dropFirst(), isolation: isolation, body) }
    }
}

/// A value to bind, whatever its type is.
private protocol CarriedValue {
    func bind(isolation: isolated (any Actor)?, _ body: nonisolated(nonsending) () async -> Void) async
}

private struct TypedCarriedValue<Value: Sendable>: CarriedValue {
    private let local: TaskLocal<Value>
    private let value: Value

    init(_ words: FunctionWords, from incoming: inout Incoming) throws {
        local = (words.box() as TaskLocalBox<Value>).body()
        do {
            value = try Codec<Value>.resolve().decode(from: &incoming)
        } catch {
            throw PoolError.notDecodable(Value.self, as: "task-local value", error)
        }
    }

    func bind(isolation: isolated (any Actor)?, _ body: nonisolated(nonsending) () async -> Void) async {
        await local.withValue(
            value,
            operation: {
                _ = isolation
                await body()
            },
            isolation: isolation)
    }
}
