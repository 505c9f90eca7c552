internal import CMultiprocessing
package import Distributed

/// A distributed method of this program without generic parameters, as a host calls it.
///
/// Distributed's own `executeDistributedTarget` looks up the method's types for each call, by names in which private
/// types cannot be found. Here they are those that the caller's code has, which is the same code.
///
/// `Sendable` is unchecked for the pointers, to what does not change as long as this is there.
package final class DistributedMethod: @unchecked Sendable {
    /// The type of the actors that have the method.
    package let actor: Any.Type
    package let result: Any.Type
    private let name: UnsafeMutableBufferPointer<UInt8>
    private let parameters: UnsafeMutableBufferPointer<Any.Type>

    /// - Parameter name: What the compiler calls the method.
    /// - Returns: `nil` if this program has none of that name.
    package init?(_ name: String, of actor: Any.Type, parameters: [Any.Type], result: Any.Type) {
        let bytes = Array(name.utf8)
        let isThere = bytes.withUnsafeBytes { bytes in
            mp_swift_has_distributed_method(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard isThere else { return nil }
        self.actor = actor
        self.result = result
        self.name = .allocate(capacity: bytes.count)
        _ = self.name.initialize(from: bytes)
        // One more, so that there is an address without any.
        self.parameters = .allocate(capacity: parameters.count + 1)
        _ = self.parameters.initialize(from: parameters + [result])
    }

    deinit {
        name.deallocate()
        parameters.deallocate()
    }

    /// Calls the method, and then `body` with where the result lies, which has the type ``result``.
    ///
    /// - Throws: What the method throws, what the decoder throws, and what `body` throws.
    package func call<Actor: DistributedActor, Decoder: DistributedTargetInvocationDecoder>(
        on actor: Actor,
        _ decoder: inout Decoder,
        _ body: (UnsafeRawPointer) async throws -> Void
    ) async throws {
        func call<Result>(_ type: Result.Type) async throws {
            guard let name = self.name.baseAddress, let parameters = self.parameters.baseAddress else { return }
            let place = UnsafeMutablePointer<Result>.allocate(capacity: 1)
            defer { place.deallocate() }
            try await executeTarget(
                on: actor, name, UInt(self.name.count), argumentDecoder: &decoder, argumentTypes: parameters,
                resultBuffer: place, substitutions: nil, witnessTables: nil, numWitnessTables: 0)
            defer { place.deinitialize(count: 1) }
            try await body(place)
        }
        defer { withExtendedLifetime(self) {} }
        try await _openExistential(result, do: call)
    }
}

/// What Distributed's library calls a method with; declared in its DistributedActorSystem.swift.
@_silgen_name("swift_distributed_execute_target")
private func executeTarget<Decoder: DistributedTargetInvocationDecoder>(
    on actor: AnyObject,
    _ targetName: UnsafePointer<UInt8>,
    _ targetNameLength: UInt,
    argumentDecoder: inout Decoder,
    argumentTypes: UnsafeRawPointer,
    resultBuffer: UnsafeRawPointer,
    substitutions: UnsafeRawPointer?,
    witnessTables: UnsafeRawPointer?,
    numWitnessTables: UInt
) async throws
