import TestSupport
import Testing

/// What a crash costs.
@Suite(.admitted)
enum Containment {}
