import TestSupport
import Testing

/// Deadlines, cancellation, retries, limits and recycling, all at once and at bad moments.
///
/// One test at a time: each of them keeps several processes busy.
@Suite(.serialized, .admitted)
enum Control {}
