import TestSupport
import Testing

/// What a crash costs.
///
/// One test at a time: each of them keeps several processes busy.
@Suite(.serialized, .admitted)
enum Containment {}
