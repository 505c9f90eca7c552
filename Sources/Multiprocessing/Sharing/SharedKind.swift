/// What something that processes share is, in every message that speaks of it.
package enum SharedKind: UInt8, Sendable {
    case slab = 1
    case memory
    case array
    case value
    case lock
    case recursiveLock
    case semaphore
    case condition
    case event
    case barrier
    case queue
    case connection
}
