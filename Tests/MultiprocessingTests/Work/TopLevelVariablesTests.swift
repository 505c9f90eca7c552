import Multiprocessing
import MultiprocessingRuntime
import TestSupport
import Testing

private let lazyGlobal = (1...3).map { $0 * 2 }
private let constant = 42
private nonisolated(unsafe) let zero = UnsafeMutablePointer<Int>?.none

@Suite(.admitted)
struct TopLevelVariablesTests {
    @Test func `Globals that initialize themselves are not reported`() throws {
        for box in [
            FunctionBox { (x: Int) in x + lazyGlobal[0] + constant },
            FunctionBox { (x: Int) in zero == nil ? x : 0 },
        ] {
            let closure = try CapturedClosure(FunctionWords(of: box))
            #expect(try TopLevelVariables.reached(by: closure.reference, types: [Int.self]).isEmpty)
        }
    }

    @Test func `Operands relative to the instruction pointer are found`() throws {
        let code: [UInt8] = [
            0x48, 0x8B, 0x05, 0x10, 0x00, 0x00, 0x00,  // mov rax, [rip + 16]
            0x48, 0x89, 0x0D, 0x20, 0x00, 0x00, 0x00,  // mov [rip + 32], rcx
            0x48, 0xC7, 0x05, 0x30, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,  // mov qword [rip + 48], 1
            0xE8, 0xFB, 0xFF, 0xFF, 0xFF,  // call to itself
        ]
        code.withUnsafeBytes { bytes in
            let start = UInt(bitPattern: bytes.baseAddress)
            var found: [UInt: MachineCode.Use] = [:]
            MachineCode(bytes, at: start).forEachReference { found[$0 &- start] = $1 }
            #expect(found[7 + 16] == .load)
            #expect(found[14 + 32] == .other)
            #expect(found[25 + 48] == .other)
            #expect(found[25] == .call)
        }
    }

    @Test func `Code too short for an operand refers to nothing by one`() {
        let code: [UInt8] = [0xE8, 0, 0, 0]
        code.withUnsafeBytes { bytes in
            for count in 0...bytes.count {
                let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                MachineCode(part, at: 0).forEachReference { address, use in
                    // The first byte can be the distance of a short jump; all four, an operand.
                    if count < 4 { #expect(use == .call, "\(address)") }
                }
            }
        }
    }
}
