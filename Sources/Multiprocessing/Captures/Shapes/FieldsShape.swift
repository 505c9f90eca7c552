import MultiprocessingCoding

/// A structure or a tuple: its fields, one after another, each aligned for its type.
struct FieldsShape: ValueShape {
    let name: String
    let size: Int
    let alignment: Int
    private let fields: [(offset: Int, shape: any ValueShape)]
    /// The first of the fields that leave the most patterns free, which are those of the whole.
    private let sparing: (offset: Int, shape: any ValueShape)?

    init(name: String, _ shapes: [any ValueShape]) {
        self.name = name
        var (size, alignment) = (0, 1)
        var fields: [(offset: Int, shape: any ValueShape)] = []
        var sparing: (offset: Int, shape: any ValueShape)?
        for shape in shapes {
            let mask = shape.alignment - 1
            let field = (offset: (size + mask) & ~mask, shape: shape)
            fields.append(field)
            size = field.offset + shape.size
            alignment = max(alignment, shape.alignment)
            if shape.spareCount > sparing?.shape.spareCount ?? 0 { sparing = field }
        }
        (self.size, self.alignment, self.fields, self.sparing) = (size, alignment, fields, sparing)
    }

    var spareCount: Int { sparing?.shape.spareCount ?? 0 }

    func spare(at place: UnsafeRawPointer) -> Int? {
        sparing.flatMap { $0.shape.spare(at: place + $0.offset) }
    }

    func storeSpare(_ index: Int, at place: UnsafeMutableRawPointer) {
        sparing.map { $0.shape.storeSpare(index, at: place + $0.offset) }
    }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        for (offset, shape) in fields { try shape.encode(at: place + offset, into: &message) }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        var decoded = 0
        do {
            for (offset, shape) in fields {
                try shape.decode(to: place + offset, from: &incoming)
                decoded += 1
            }
        } catch {
            for (offset, shape) in fields.prefix(decoded) { shape.destroy(at: place + offset) }
            throw error
        }
    }

    func destroy(at place: UnsafeMutableRawPointer) {
        for (offset, shape) in fields { shape.destroy(at: place + offset) }
    }
}
