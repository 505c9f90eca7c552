/// The loop that runs a closure over inputs in memory.
///
/// Made in the caller's module, where the types and often the closure are known: it is compiled for
/// them, and a chunk calls it for all of its strides. Worker processes are sent the closure itself, never this.
@usableFromInline
struct ItemLoop<Input, Output>: Sendable {
    /// Runs until there is a value for each input, the chunk is cancelled or nothing more of it may begin, or an item
    /// throws.
    ///
    /// The values go behind one another to where `outputs` points; `made` counts them, whatever the end. `begun`
    /// says how many of the inputs are of strides that were begun before, and then how many are of those and of the
    /// ones that the loop has begun. With a watch, an item can be taken while it runs: then the loop ends behind it.
    @usableFromInline let run:
        @Sendable (
            _ inputs: UnsafeBufferPointer<Input>,
            _ outputs: UnsafeMutablePointer<Output>,
            _ made: inout Int,
            _ begun: inout Int,
            _ chunk: StridedChunk,
            _ watch: StrideWatch?
        ) throws -> Void

    @inlinable
    init(_ body: @escaping @Sendable (Input) throws -> Output) {
        run = { inputs, outputs, made, begun, chunk, watch in
            // In variables of their own, which stay in registers.
            var count = 0
            var end = begun
            defer {
                made = count
                begun = end
            }
            let stride = chunk.stride
            if let watch {
                let base = watch.base
                while count < inputs.count, !chunk.isCancelled {
                    if count == end {
                        guard watch.settle(), chunk.claims.claim() else { return }
                        end += stride
                    }
                    let limit = min(end, inputs.count)
                    // With no call in here but the body's, all that an item needs is in registers.
                    while count < limit, !chunk.isCancelled, watch.announce(base &+ count) {
                        (outputs + count).initialize(to: try body(inputs[count]))
                        count += 1
                    }
                    guard watch.goesOn() else { return }
                }
                return
            }
            while count < inputs.count, !chunk.isCancelled {
                if count == end {
                    guard chunk.claims.claim() else { return }
                    end += stride
                }
                (outputs + count).initialize(to: try body(inputs[count]))
                count += 1
            }
        }
    }
}
