/// A chunk that a thread begins stride by stride, of which the rest can be given to another.
// Sendable: as every chunk.
@usableFromInline
class StridedChunk: Chunk, @unchecked Sendable {
    /// How many items are begun together; at least one.
    @usableFromInline final let stride: Int

    /// The strides that the thread has begun, and may.
    @usableFromInline final let claims: StrideClaims

    /// The first of the items that the strides are counted from; the owner's, on threads only.
    @exclusivity(unchecked) private(set) final var strideBase = 0

    init(count: Int, stride: Int) {
        self.stride = stride
        claims = StrideClaims(limit: Self.strides(of: count, stride))
        super.init(count: count)
    }

    /// How many strides so many items are; the last one may be shorter.
    private static func strides(of count: Int, _ stride: Int) -> Int {
        count / stride + (count % stride == 0 ? 0 : 1)
    }

    override var strideLength: Int { stride }

    /// Counts strides from an item on, of which none is begun then; with nobody who runs the chunk.
    final func countStrides(from item: Int) {
        strideBase = item
        claims.setLimit(Self.strides(of: max(0, count - item), stride))
    }

    /// Takes away what the thread has not begun; returns the number of the first item of it, `nil` if there is none.
    final func revokeUnbegun() -> Int? {
        let revoked = claims.revoke()
        return revoked.isEmpty ? nil : strideBase + revoked.lowerBound * stride
    }

    /// Notes what is left of the chunk when parts of it were split off while it ran.
    final func noteParts() {
        count = min(count, strideBase + claims.limit * stride)
    }
}
