/// The instructions of one x86-64 function, searched for the addresses that they refer to.
package struct MachineCode {
    package enum Use: Sendable {
        /// A call or a jump.
        case call
        /// An instruction that reads what is there, and does nothing else with it.
        case load
        /// Any other: it stores, or takes the address.
        case other
    }

    private let code: UnsafeRawBufferPointer
    private let address: UInt
    private let isAbsolute: Bool

    /// - Parameters:
    ///   - address: Where the code is at run time, in the addresses that are looked for.
    ///   - isAbsolute: Whether instructions can hold addresses of 32 bits as they are.
    package init(_ code: UnsafeRawBufferPointer, at address: UInt, isAbsolute: Bool = false) {
        self.code = code
        self.address = address
        self.isAbsolute = isAbsolute
    }

    /// Calls `body` with each address that a call, a jump or an operand relative to the instruction pointer means.
    ///
    /// From bytes that are no known instruction on, every position is tried as the start of an operand: so none is
    /// missed, and some are found by chance.
    package func forEachReference(_ body: (_ address: UInt, _ use: Use) -> Void) {
        if isAbsolute {
            for place in stride(from: 0, to: code.count - 3, by: 1) {
                body(UInt(code.number(at: place, as: UInt32.self)), .other)
            }
        }
        var place = 0
        while place < code.count {
            guard let instruction = Instruction(code, at: place) else {
                return forEachPossibleReference(from: place, body)
            }
            let end = place + instruction.length
            if let (distance, size) = instruction.branch {
                body(target(from: end, at: place + distance, size: size), .call)
            } else if let relative = instruction.relative {
                body(target(from: end, at: place + relative, size: 4), instruction.isLoad ? .load : .other)
            }
            place = end
        }
    }

    private func target(from end: Int, at place: Int, size: Int) -> UInt {
        let distance =
            size == 1 ? Int(code.number(at: place, as: Int8.self)) : Int(code.number(at: place, as: Int32.self))
        return address &+ UInt(bitPattern: end &+ distance)
    }

    private func forEachPossibleReference(from start: Int, _ body: (UInt, Use) -> Void) {
        for place in start..<code.count {
            body(target(from: place + 1, at: place, size: 1), .call)
            guard place + 4 <= code.count else { continue }
            // The distance counts from the end of the instruction, behind its constant operand.
            for constant in [0, 1, 2, 4] { body(target(from: place + 4 + constant, at: place, size: 4), .other) }
        }
    }
}
