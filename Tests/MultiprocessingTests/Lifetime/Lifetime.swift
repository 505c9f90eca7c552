import TestSupport
import Testing

/// How pools, workers and programs end.
@Suite(.admitted)
enum Lifetime {}
