/// One x86-64 instruction, as far as its length and its operand in memory go.
///
/// The layout is that of the Intel manual's volume 2, chapter 2 and appendix A: prefixes, opcode, ModRM, SIB,
/// displacement, constant.
struct Instruction {
    /// How many bytes it has.
    let length: Int
    /// Where in it the distance of a call or a jump begins, and how many bytes that has.
    private(set) var branch: (place: Int, size: Int)?
    /// Where in it the four bytes of an operand relative to the instruction pointer begin.
    private(set) var relative: Int?
    /// Whether it surely does nothing with its operand in memory but to read it.
    private(set) var isLoad = false

    /// - Returns: `nil` for bytes that are no instruction that a compiler emits.
    init?(_ code: UnsafeRawBufferPointer, at start: Int) {
        var place = start
        func byte(_ place: Int) -> UInt8 { place < code.count ? code[place] : 0 }
        var isShort = false
        while [0x66, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x67, 0xF0].contains(byte(place)) {
            isShort = isShort || byte(place) == 0x66
            place += 1
        }
        var isWide = false
        if byte(place) & 0xF0 == 0x40 {
            isWide = byte(place) & 8 != 0
            place += 1
        }
        var map = 0
        var isVector = false
        switch byte(place) {
        case 0xC5:
            (map, place, isVector) = (1, place + 2, true)
        case 0xC4:
            (map, place, isVector) = (Int(byte(place + 1) & 0x1F), place + 3, true)
        case 0x62:
            (map, place, isVector) = (Int(byte(place + 1) & 7), place + 4, true)
        case 0x0F:
            switch byte(place + 1) {
            case 0x38: (map, place) = (2, place + 2)
            case 0x3A: (map, place) = (3, place + 2)
            default: (map, place) = (1, place + 1)
            }
        default:
            break
        }
        let opcode = byte(place)
        place += 1
        let register = byte(place) >> 3 & 7
        guard let form = Form(map, opcode, register, isShort: isShort && !isWide, isWide: isWide) else { return nil }
        if form.hasOperand {
            let mode = byte(place) >> 6
            let base = byte(place) & 7
            place += 1
            if mode != 3 {
                var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
                if base == 4 {
                    if mode == 0, byte(place) & 7 == 5 { displacement = 4 }
                    place += 1
                } else if mode == 0, base == 5 {
                    displacement = 4
                    relative = place - start
                }
                place += displacement
            }
        }
        if form.isBranch { branch = (place - start, form.constant) }
        length = place + form.constant - start
        isLoad = !isVector && form.isLoad
        guard start + length <= code.count else { return nil }
    }

    /// What follows an opcode, and what it does.
    private struct Form {
        var hasOperand = false
        var constant = 0
        var isBranch = false
        var isLoad = false

        init?(_ map: Int, _ opcode: UInt8, _ register: UInt8, isShort: Bool, isWide: Bool) {
            switch map {
            case 0:
                guard setOneByte(opcode, register, isShort: isShort, isWide: isWide) else { return nil }
            case 1:
                setTwoBytes(opcode)
            case 2, 5, 6:
                hasOperand = true
            case 3:
                (hasOperand, constant) = (true, 1)
            default:
                return nil
            }
        }

        private mutating func setOneByte(
            _ opcode: UInt8,
            _ register: UInt8,
            isShort: Bool,
            isWide: Bool
        ) -> Bool {
            let number = isShort ? 2 : 4
            switch opcode {
            case 0x00...0x3F where opcode & 7 < 4: (hasOperand, isLoad) = (true, opcode & 2 != 0 || opcode >= 0x38)
            case 0x00...0x3F where opcode & 7 == 4: constant = 1
            case 0x00...0x3F where opcode & 7 == 5: constant = number
            case 0x50...0x5F, 0x6C...0x6F, 0x90...0x99, 0x9B...0x9F, 0xA4...0xA7, 0xAA...0xAF, 0xC3, 0xC9, 0xCB,
                0xCC, 0xCF, 0xD7, 0xEC...0xEF, 0xF1, 0xF4, 0xF5, 0xF8...0xFD:
                break
            case 0x63: (hasOperand, isLoad) = (true, true)
            case 0x68, 0xA9: constant = number
            case 0x69: (hasOperand, constant, isLoad) = (true, number, true)
            case 0x6A, 0xA8, 0xB0...0xB7, 0xCD, 0xE4...0xE7: constant = 1
            case 0x6B: (hasOperand, constant, isLoad) = (true, 1, true)
            case 0x70...0x7F, 0xE0...0xE3, 0xEB: (constant, isBranch) = (1, true)
            case 0x80, 0x83: (hasOperand, constant, isLoad) = (true, 1, register == 7)
            case 0x81: (hasOperand, constant, isLoad) = (true, number, register == 7)
            case 0x84, 0x85, 0x8A, 0x8B: (hasOperand, isLoad) = (true, true)
            case 0x86...0x89, 0x8C...0x8F, 0xD0...0xD3, 0xD8...0xDF, 0xFE: hasOperand = true
            case 0xA0...0xA3: constant = 8
            case 0xB8...0xBF: constant = isWide ? 8 : number
            case 0xC0, 0xC1, 0xC6: (hasOperand, constant) = (true, 1)
            case 0xC2, 0xCA: constant = 2
            case 0xC7: (hasOperand, constant) = (true, number)
            case 0xC8: constant = 3
            case 0xE8, 0xE9: (constant, isBranch) = (4, true)
            case 0xF6: (hasOperand, constant, isLoad) = (true, register < 2 ? 1 : 0, register < 2)
            case 0xF7: (hasOperand, constant, isLoad) = (true, register < 2 ? number : 0, register < 2)
            case 0xFF: (hasOperand, isLoad) = (true, [2, 4, 6].contains(register))
            default: return false
            }
            return true
        }

        private mutating func setTwoBytes(_ opcode: UInt8) {
            switch opcode {
            case 0x05...0x09, 0x0B, 0x0E, 0x30...0x37, 0x77, 0xA0...0xA2, 0xA8...0xAA, 0xC8...0xCF: break
            case 0x80...0x8F: (constant, isBranch) = (4, true)
            case 0x70...0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4...0xC6: (hasOperand, constant) = (true, 1)
            case 0x10, 0x12, 0x14...0x16, 0x28, 0x2A, 0x2C...0x2F, 0x40...0x4F, 0x51...0x6F, 0xAF, 0xB6, 0xB7,
                0xBC...0xBF, 0xD0...0xD5, 0xD8...0xE6, 0xE8...0xFE:
                (hasOperand, isLoad) = (true, true)
            default: hasOperand = true
            }
        }
    }
}
