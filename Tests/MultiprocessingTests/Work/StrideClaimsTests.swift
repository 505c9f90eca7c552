import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

@Suite(.admitted)
struct StrideClaimsTests {
    @Test func `Strides are begun up to the limit and no further`() {
        let claims = StrideClaims(limit: 3)
        let begun = (0..<5).map { _ in claims.claim() }
        #expect(begun == [true, true, true, false, false])
        let taken = claims.revoke()
        #expect(taken.isEmpty)
    }

    @Test func `What is not begun can be taken away, once`() {
        let claims = StrideClaims(limit: 10)
        let begun = [claims.claim(), claims.claim()]
        let taken = [claims.revoke(), claims.revoke()]
        let more = claims.claim()
        let limit = claims.limit
        #expect(begun == [true, true])
        #expect(taken == [2..<10, 2..<2])
        #expect(!more)
        #expect(limit == 2)
    }

    @Test func `The first stride stays with who has the chunk`() {
        let claims = StrideClaims(limit: 4)
        let taken = claims.revoke()
        let begun = [claims.claim(), claims.claim()]
        #expect(taken == 1..<4)
        #expect(begun == [true, false])
    }

    @Test func `An empty chunk has nothing to take away`() {
        let claims = StrideClaims(limit: 0)
        let taken = claims.revoke()
        let begun = claims.claim()
        #expect(taken.isEmpty)
        #expect(!begun)
    }

    @Test func `A chunk that came back gets a new limit`() {
        let claims = StrideClaims(limit: 2)
        let before = claims.claim()
        claims.setLimit(1)
        let after = [claims.claim(), claims.claim()]
        #expect(before)
        #expect(after == [true, false])
    }

    @Test func `Each stride is either begun or taken away, whoever is first`() {
        final class Shared: Sendable {
            let claims = StrideClaims(limit: 200)
            let begun = Atomic(0)
            let taken = Atomic(0)
        }
        for _ in 0..<500 {
            let shared = Shared()
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    while shared.claims.claim() { shared.begun.wrappingAdd(1, ordering: .relaxed) }
                } else {
                    shared.taken.store(shared.claims.revoke().count, ordering: .relaxed)
                }
            }
            let (begun, taken) = (shared.begun.load(ordering: .relaxed), shared.taken.load(ordering: .relaxed))
            guard begun + taken == 200 else {
                Issue.record("\(begun) were begun and \(taken) taken away")
                return
            }
        }
    }
}
