import Foundation
import Multiprocessing
import TestSupport
import Testing

private struct PrivateShape: Codable, Sendable, Equatable {
    var number: Int
    var list: [Int]
}

/// One closure for each shape of capture, run as it is called most often: synchronous and
/// asynchronous, alone and beside other captures, in `run`, `submit` and `map`.
///
/// Each closure is written out, because the compiler lays out the captures of each literal anew.
@Suite(.admitted(for: .seconds(300)))
struct CaptureMatrixTests {
    @Test func bool() async throws {
        let value: Bool = true
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func int8() async throws {
        let value: Int8 = -5
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uInt8() async throws {
        let value: UInt8 = 250
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func int16() async throws {
        let value: Int16 = -3_000
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uInt16() async throws {
        let value: UInt16 = 60_000
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func int32() async throws {
        let value: Int32 = -7
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uInt32() async throws {
        let value: UInt32 = .max
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func int() async throws {
        let value: Int = .min
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uInt64() async throws {
        let value: UInt64 = .max
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func int128() async throws {
        let value: Int128 = .max - 1
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func float() async throws {
        let value: Float = -0.0
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func double() async throws {
        let value: Double = .leastNonzeroMagnitude
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func threeBytes() async throws {
        let value: ThreeBytes = ThreeBytes(a: 1, b: 2, c: 3)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func oddSize() async throws {
        let value: OddSize = OddSize(a: 1, b: 2)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func sIMD2Int() async throws {
        let value: SIMD2<Int> = SIMD2(1, -2)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func sIMD4Float() async throws {
        let value: SIMD4<Float> = SIMD4(1, 2, 3, 4)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func sIMD8Double() async throws {
        let value: SIMD8<Double> = SIMD8(repeating: 1.5)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func smallString() async throws {
        let value: String = "small"
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func largeString() async throws {
        let value: String = String(repeating: "large ", count: 100)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func unicodeString() async throws {
        let value: String = "e\u{301} \u{1F468}\u{200D}\u{1F469} \u{0}"
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func character() async throws {
        let value: String = String(Character("x"))
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func array() async throws {
        let value: [Int] = [1, 2, 3]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func emptyArray() async throws {
        let value: [Int] = []
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func arrayOfStrings() async throws {
        let value: [String] = ["a", "b"]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func nestedArray() async throws {
        let value: [[Int]] = [[1], [], [2, 3]]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func contiguousArray() async throws {
        let value: ContiguousArray<Int> = [4, 5]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func setOfStrings() async throws {
        let value: Set<String> = ["p", "q"]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func emptySet() async throws {
        let value: Set<Int> = []
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func dictionary() async throws {
        let value: [String: Int] = ["a": 1, "b": 2]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func emptyDictionary() async throws {
        let value: [Int: Int] = [:]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func nestedDictionary() async throws {
        let value: [String: [Int: [String]]] = ["a": [1: ["x"]]]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func some() async throws {
        let value: Int? = 3
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func none() async throws {
        let value: Int? = nil
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func nestedOptional() async throws {
        let value: Int?? = .some(nil)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func optionalString() async throws {
        let value: String? = "here"
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func optionalArray() async throws {
        let value: [Int]? = [1]
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func publicStructure() async throws {
        let value: PublicShape = PublicShape(number: 1, text: "t")
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func privateStructure() async throws {
        let value: PrivateShape = PrivateShape(number: 2, list: [1])
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func genericOfPrivate() async throws {
        let value: GenericShape<PrivateShape> = GenericShape(value: PrivateShape(number: 3, list: []))
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func wrapsOneArray() async throws {
        let value: ArrayWrapper = ArrayWrapper(list: [7, 8])
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func wrapsOneDictionary() async throws {
        let value: DictionaryWrapper = DictionaryWrapper(map: ["k": 9])
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func plainEnum() async throws {
        let value: PlainEnum = .second
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func payloadEnum() async throws {
        let value: PayloadEnum = .text("payload")
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func indirect() async throws {
        let value: Tree = .node(.leaf(1), .node(.leaf(2), .leaf(3)))
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func empty() async throws {
        let value: EmptyShape = EmptyShape()
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func range() async throws {
        let value: Range<Int> = 3..<9
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func result() async throws {
        let value: GenericPair<Int, String> = GenericPair(a: 1, b: "b")
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func duration() async throws {
        let value: Duration = .seconds(3)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func date() async throws {
        let value: Date = Date(timeIntervalSince1970: 12_345.678)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uUID() async throws {
        let value: UUID = UUID()
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func uRL() async throws {
        let value: URL = URL(filePath: "/a/b")
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func data() async throws {
        let value: Data = Data([1, 2, 3])
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func largeData() async throws {
        let value: Data = Data(repeating: 7, count: 100_000)
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }

    @Test func decimal() async throws {
        let value: Decimal = Decimal(123) / 7
        let (number, text) = (opaque(17), opaque("beside"))
        try await CaptureShape(value).expectSame(
            lone: { value },
            loneAsync: {
                await Task.yield()
                return value
            },
            beside: { Beside(value: value, number: number, text: text) },
            besideAsync: {
                await Task.yield()
                return Beside(value: value, number: number, text: text)
            },
            mapped: { Beside(value: value, number: number + $0, text: text) })
    }
}
