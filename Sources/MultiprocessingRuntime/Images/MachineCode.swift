/// The instructions of one x86-64 function, searched for the addresses that they refer to.
package struct MachineCode {
    private let range: Range<UInt>

    package init(_ range: Range<UInt>) {
        self.range = range
    }

    /// Calls `body` with each address that a call, a jump or an operand relative to the instruction
    /// pointer can mean, and whether the instruction can assign to what is there: it stores, or it
    /// takes the address.
    ///
    /// Every position is tried as the start of an operand: instructions are not decoded one after
    /// another, because a wrong length would lose all that follow. A chance match is harmless as long as the
    /// caller looks for few addresses: it takes four bytes that happen to lead to one of them.
    package func forEachReference(_ body: (_ address: UInt, _ mayAssign: Bool) -> Void) {
        guard let start = UnsafeRawPointer(bitPattern: range.lowerBound) else { return }
        let code = UnsafeRawBufferPointer(start: start, count: range.count)
        guard code.count >= 5 else { return }
        for position in 1...code.count - 4 {
            let before = code[position - 1]
            let isCall = before == 0xE8 || before == 0xE9
            // ModRM with mode 0 and register 5 is an operand relative to the instruction pointer.
            let isOperand = position >= 2 && before & 0xC7 == 0x05
            guard isCall || isOperand else { continue }
            let relative = UInt(bitPattern: Int(code.loadUnaligned(fromByteOffset: position, as: Int32.self)))
            let next = range.lowerBound &+ UInt(position) &+ 4
            if isCall { body(next &+ relative, false) }
            if isOperand {
                let opcode = code[position - 2]
                let end = next &+ Self.immediateSize(opcode: opcode, modifier: before)
                body(end &+ relative, Self.assigningOpcodes.contains(opcode))
            }
        }
    }

    /// The opcodes of MOV to memory and LEA, and of the vector moves to memory.
    private static let assigningOpcodes: Set<UInt8> = [
        0x88, 0x89, 0xC6, 0xC7, 0x8D, 0x11, 0x13, 0x17, 0x29, 0x7F, 0xD6, 0xE7,
    ]

    /// How many bytes of constant operand follow: the offset counts from the end of the instruction.
    private static func immediateSize(opcode: UInt8, modifier: UInt8) -> UInt {
        switch opcode {
        case 0x80, 0x83, 0xC0, 0xC1, 0xC6, 0x6B: 1
        case 0x81, 0xC7, 0x69: 4
        case 0xF6 where modifier & 0x38 == 0: 1
        case 0xF7 where modifier & 0x38 == 0: 4
        default: 0
        }
    }
}
