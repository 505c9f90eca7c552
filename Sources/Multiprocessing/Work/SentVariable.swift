import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// A variable of main.swift whose value worker processes are sent.
final class SentVariable: Sendable {
    /// The number by which workers know it.
    let id: UInt32

    private let variable: TopLevelVariable
    private let type: Any.Type
    /// How the value lies in memory and travels: by the rule of captures.
    private let shape: any ValueShape
    /// Where it is and what its type is, for another process.
    private let place: [UInt8]

    private let last = Mutex<Value?>(nil)

    /// The variable's value at some moment.
    final class Value: Sendable {
        let variable: UInt32
        /// Counts the changes of the variable, from 1.
        let version: UInt64
        /// What a worker needs to set its variable, as ``ReceivedVariables/receive(_:_:)`` reads it.
        let bytes: ByteBuffer
        /// What the bytes refer to.
        let attachments: [Attachment]

        fileprivate init(variable: UInt32, version: UInt64, _ message: Outgoing) {
            self.variable = variable
            self.version = version
            bytes = message.bytes
            attachments = message.attachments
        }
    }

    /// The variables in use, by address.
    private static let all = Mutex<[UInt: SentVariable]>([:])

    /// Finds or makes the form in which a variable is sent.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when it cannot be.
    static func resolve(_ use: TopLevelVariables.Use) throws -> SentVariable {
        let address = use.variable.address
        if let known = all.withLock({ $0[address] }) { return known }
        guard let type = use.variable.type else { throw PoolError.variableNotPortable(use) }
        let shape: any ValueShape
        do {
            shape = try ShapeTable.shared.shape(of: type)
        } catch {
            throw PoolError.variableNotPortable(use, type, error)
        }
        guard let pointer = UnsafeRawPointer(bitPattern: address),
            let image = try? ImageAddress(pointer, count: max(use.variable.size, 1), content: .data),
            let reference = try? TypeReference(type)
        else { throw PoolError.variableNotPortable(use) }
        return all.withLock { all in
            if let known = all[address] { return known }
            let made = SentVariable(UInt32(all.count), use.variable, type, shape, image, reference)
            all[address] = made
            return made
        }
    }

    private init(
        _ id: UInt32,
        _ variable: TopLevelVariable,
        _ type: Any.Type,
        _ shape: any ValueShape,
        _ address: ImageAddress,
        _ reference: TypeReference
    ) {
        self.id = id
        self.variable = variable
        self.type = type
        self.shape = shape
        var place: [UInt8] = []
        address.encode(into: &place)
        reference.encode(into: &place)
        place.seal()
        self.place = place
    }

    /// The value as it is now; the same one for as long as its encoded bytes are the same.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when it has no value yet, or one that cannot be encoded.
    func value() throws -> Value {
        guard let pointer = UnsafeRawPointer(bitPattern: variable.address), isInitialized(pointer) else {
            throw PoolError.variableNotInitialized(variable)
        }
        var message = Outgoing()
        let bytes = message.bytes
        bytes.append(UInt64(place.count))
        place.withUnsafeBytes { bytes.append(contentsOf: $0) }
        do {
            try shape.encode(at: pointer, into: &message)
        } catch {
            throw PoolError.notEncodable(type, as: "variable \(variable.name) of main.swift", error)
        }
        return last.withLock { last in
            if let last, last.bytes.isEqual(to: bytes) { return last }
            let value = Value(variable: id, version: (last?.version ?? 0) + 1, message)
            last = value
            return value
        }
    }

    /// Whether the variable has a value, which it has not before main.swift assigns it: its memory is zero then.
    ///
    /// Where zeros are a value as well (numbers, `nil`, a case without payload, structures of such), they are what this
    /// process would read here, assigned or not. In a worker, where main.swift does not run, a variable has a value when
    /// the worker was sent one.
    private func isInitialized(_ place: UnsafeRawPointer) -> Bool {
        if ReceivedVariables.shared.areAwaited { return ReceivedVariables.shared.contains(variable.address) }
        return UnsafeRawBufferPointer(start: place, count: ValueWitness(type).size).contains { $0 != 0 }
            || ZeroBits(of: type).areValue
    }
}
