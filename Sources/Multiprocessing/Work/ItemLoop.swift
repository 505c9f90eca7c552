/// The loop that runs a closure over inputs in memory.
///
/// Made in the caller's module, where the types and often the closure are known: it is compiled for
/// them, and a chunk calls it once a stride. Worker processes are sent the closure itself, never this.
@usableFromInline
struct ItemLoop<Input, Output>: Sendable {
    /// Runs until there is a value for each input, the chunk is cancelled or an item throws.
    ///
    /// The values go behind one another to where `outputs` points; `made` counts them, whatever the end. With
    /// a watch, an item can be taken while it runs: then the loop ends behind it.
    @usableFromInline let run:
        @Sendable (
            _ inputs: UnsafeBufferPointer<Input>,
            _ outputs: UnsafeMutablePointer<Output>,
            _ made: inout Int,
            _ chunk: Chunk,
            _ watch: StrideWatch?
        ) throws -> Void

    @inlinable
    init(_ body: @escaping @Sendable (Input) throws -> Output) {
        run = { inputs, outputs, made, chunk, watch in
            // Counted in a variable of its own, which stays in a register.
            var count = 0
            defer { made = count }
            if let watch {
                let base = watch.base
                while count < inputs.count, !chunk.isCancelled, watch.begin(base &+ count) {
                    (outputs + count).initialize(to: try body(inputs[count]))
                    count += 1
                }
                return
            }
            while count < inputs.count, !chunk.isCancelled {
                (outputs + count).initialize(to: try body(inputs[count]))
                count += 1
            }
        }
    }
}
