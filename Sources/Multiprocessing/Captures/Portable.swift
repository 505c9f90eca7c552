/// A type whose captured values always travel by the type's own `Codable`, in every build.
///
/// A structure or enumeration that a closure captures travels field by field, and its `encode(to:)` is
/// not asked. Conform a type to `Portable` where that is not wanted or not possible:
///
/// - The stored bits mean something in this process only, such as an index into a table, and
///   `init(from:)` makes of it what it means in another.
/// - An optimized build left out what is needed to send values of the type. The compiler emits
///   no metadata for a type that is not public and that no code needs at run time. For a type that
///   conforms to `Portable` it always does.
///
/// ```swift
/// enum Shape: Portable {
///     case circle(Circle)
///     indirect case group(Shape, Shape)
/// }
/// ```
///
/// An object that is captured stays refused, whatever its class conforms to. A structure that stores one
/// array and nothing else cannot be told from the array when it is a closure's only capture, and then
/// travels as that.
@_alwaysEmitConformanceMetadata
public protocol Portable: Codable, Sendable {}
