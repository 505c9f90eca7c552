import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// What a worker process has to find or put together before it can call a function.
package struct PortableCode: Sendable {
    /// A variable at the top level of main.swift, whose value travels like a capture.
    struct Variable: Hashable, Sendable {
        let address: ImageAddress
        let type: TypeReference
    }

    let closure: ClosureReference
    let variables: [Variable]

    /// - Throws: ``PoolError/Code/notPortable`` when the code uses a top-level variable that cannot be sent.
    init(_ closure: ClosureReference) throws {
        self.closure = closure
        variables = try TopLevelVariables.used(by: closure).map { variable in
            guard let type = variable.type, !(type is AnyObject.Type),
                let place = UnsafeRawPointer(bitPattern: variable.address)
            else {
                throw PoolError.variableNotPortable(variable)
            }
            do {
                _ = try CodecTable.shared.codec(for: type)
                return Variable(
                    address: try ImageAddress(place, count: max(variable.size, 1), content: .data),
                    type: try TypeReference(type))
            } catch {
                throw PoolError.variableNotPortable(variable)
            }
        }
    }

    // MARK: Values

    /// Encodes the values of the top-level variables as they are now.
    func encodeVariables(into buffer: ByteBuffer) throws {
        for variable in variables {
            let type = try variable.type.resolve()
            let place = try variable.address.resolve(count: max(ValueWitness(type).size, 1), content: .data)
            guard isInitialized(place, type) else { throw PoolError.variableNotInitialized(type) }
            do {
                try CodecTable.shared.codec(for: type).encode(at: place, into: buffer)
            } catch {
                throw PoolError.notEncodable(type, as: "top-level variable", error)
            }
        }
    }

    /// Whether main.swift has assigned the variable, whose memory is zero before.
    ///
    /// No reference is zero, so a value that holds one has a bit that is set, except `nil`.
    private func isInitialized(_ place: UnsafeRawPointer, _ type: Any.Type) -> Bool {
        let witness = ValueWitness(type)
        return witness.isTrivial || type is any ExpressibleByNilLiteral.Type
            || UnsafeRawBufferPointer(start: place, count: witness.size).contains { $0 != 0 }
    }

    /// Puts the function together: its captures, and the variables of main.swift, which never runs here.
    func rebuild(from reader: inout ByteReader, keys: ReceivedKeys) throws -> FunctionWords {
        let words = try closure.rebuild(from: &reader, keys: keys)
        for variable in variables {
            let type = try variable.type.resolve()
            let place = try variable.address.resolve(count: max(ValueWitness(type).size, 1), content: .data)
            // Safe: in a worker nothing but this writes the variable, between two work items.
            let target = UnsafeMutableRawPointer(mutating: place)
            if Self.initialized.withLock({ !$0.insert(UInt(bitPattern: place)).inserted }) {
                ValueWitness(type).destroy(at: target)
            }
            do {
                try CodecTable.shared.codec(for: type).decode(to: target, from: &reader, keys: keys)
            } catch {
                Self.initialized.withLock { _ = $0.remove(UInt(bitPattern: place)) }
                throw PoolError.notDecodable(type, as: "top-level variable", error)
            }
        }
        return words
    }

    /// The variables that hold a value in this process.
    private static let initialized = Mutex<Set<UInt>>([])

    // MARK: Travelling

    func encode(into bytes: inout [UInt8]) {
        closure.encode(into: &bytes)
        bytes.append(number: UInt(variables.count))
        for variable in variables {
            variable.address.encode(into: &bytes)
            variable.type.encode(into: &bytes)
        }
    }

    init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        closure = try ClosureReference(decoding: &reader)
        var variables: [Variable] = []
        for _ in 0..<(try reader.readCount()) {
            variables.append(
                Variable(address: try ImageAddress(decoding: &reader), type: try TypeReference(decoding: &reader)))
        }
        self.variables = variables
    }
}
