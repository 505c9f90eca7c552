import TestSupport
import Testing

/// How pools, workers and programs end.
///
/// One test at a time: each of them keeps several processes busy.
@Suite(.serialized, .admitted)
enum Lifetime {}
