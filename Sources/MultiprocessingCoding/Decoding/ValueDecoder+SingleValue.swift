extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { head.tag == Tag.null }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type, head, .none) }

    func decode(_ type: Bool.Type) throws -> Bool { try bool(head, .none) }
    func decode(_ type: String.Type) throws -> String { try text(head, .none) }
    func decode(_ type: Double.Type) throws -> Double { try number(head, .none) }
    func decode(_ type: Float.Type) throws -> Float { try number(head, .none) }
    func decode(_ type: Int.Type) throws -> Int { try number(head, .none) }
    func decode(_ type: Int8.Type) throws -> Int8 { try number(head, .none) }
    func decode(_ type: Int16.Type) throws -> Int16 { try number(head, .none) }
    func decode(_ type: Int32.Type) throws -> Int32 { try number(head, .none) }
    func decode(_ type: Int64.Type) throws -> Int64 { try number(head, .none) }
    func decode(_ type: UInt.Type) throws -> UInt { try number(head, .none) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try number(head, .none) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try number(head, .none) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try number(head, .none) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try number(head, .none) }
    func decode(_ type: Int128.Type) throws -> Int128 { try number(head, .none) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try number(head, .none) }
}
