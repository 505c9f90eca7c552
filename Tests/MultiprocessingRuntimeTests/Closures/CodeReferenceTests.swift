import MultiprocessingRuntime
import Testing

private struct Hidden: Codable, Equatable, Sendable {
    var value: Int
}

/// Takes the closure as the pool does: as a generic parameter, into a box.
private func transported<Input: Sendable, Output: Sendable>(
    _ body: @escaping @Sendable (Input) throws -> Output
) throws -> FunctionBox<Input, Output> {
    try transport(FunctionBox(body))
}

private func transported<Input: Sendable, Output: Sendable>(
    _ body: @escaping @Sendable (Input) async throws -> Output
) throws -> AsyncFunctionBox<Input, Output> {
    try transport(AsyncFunctionBox(body))
}

private func transport<Box: FunctionBoxing>(_ box: Box) throws -> Box {
    let words = FunctionWords(of: box)
    #expect(words.context == nil)
    var bytes: [UInt8] = []
    try CodeReference(codeOf: words).encode(into: &bytes)
    var reader = ReferenceReader(bytes)
    return try CodeReference(decoding: &reader).resolve(context: nil).box()
}

struct CodeReferenceTests {
    @Test func `A synchronous closure comes back from its bytes`() throws {
        let double = try transported { (value: Int) in value * 2 }
        #expect(try double.body(21) == 42)
        let describe = try transported { (value: Hidden) in "\(value.value)" }
        #expect(try describe.body(Hidden(value: 7)) == "7")
    }

    @Test func `An asynchronous closure comes back from its bytes`() async throws {
        let double = try transported { (value: Int) async in
            await Task.yield()
            return value * 2
        }
        #expect(try await double.body(21) == 42)
    }

    @Test func `A closure that throws still throws`() throws {
        struct Refusal: Error {}
        let refuse = try transported { (_: Int) -> String in throw Refusal() }
        #expect(throws: Refusal.self) { try refuse.body(1) }
    }

    @Test func `Every shape of function comes back`() async throws {
        #expect(try transport(NullaryFunctionBox { 5 }).body() == 5)
        #expect(try transport(BinaryFunctionBox { (a: Int, b: String) in "\(a)\(b)" }).body(1, "x") == "1x")
        #expect(try await transport(AsyncNullaryFunctionBox { 5 }).body() == 5)
        #expect(try await transport(AsyncBinaryFunctionBox { (a: Int, b: String) in "\(a)\(b)" }).body(1, "x") == "1x")
        try transport(NullaryProcedureBox {}).body()
        try transport(ProcedureBox { (_: Int) in }).body(1)
        try transport(BinaryProcedureBox { (_: Int, _: String) in }).body(1, "")
        try await transport(AsyncNullaryProcedureBox {}).body()
        try await transport(AsyncProcedureBox { (_: Int) in }).body(1)
        try await transport(AsyncBinaryProcedureBox { (_: Int, _: String) in }).body(1, "")
    }

    @Test func `Damaged bytes are an error`() throws {
        var bytes: [UInt8] = []
        try CodeReference(codeOf: FunctionWords(of: NullaryFunctionBox { 5 })).encode(into: &bytes)
        for count in bytes.indices {
            #expect(throws: NotPortable.self) {
                var reader = ReferenceReader(Array(bytes[..<count]))
                _ = try CodeReference(decoding: &reader).resolve(context: nil)
            }
        }
        var far = Array(bytes.prefix(2))
        far += [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(throws: NotPortable.self) {
            var reader = ReferenceReader(far)
            _ = try CodeReference(decoding: &reader).resolve(context: nil)
        }
    }

    @Test func `Words keep the captures alive`() throws {
        let text = String(repeating: "long enough for the heap", count: 2)
        let words = FunctionWords(of: FunctionBox { (value: Int) in "\(text)\(value)" })
        #expect(words.context != nil)
        let box: FunctionBox<Int, String> = words.box()
        #expect(try box.body(3) == "\(text)3")
    }
}
