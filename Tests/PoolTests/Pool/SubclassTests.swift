import Multiprocessing
import TestSupport
import Testing

/// A class whose subclasses have coding of their own, or not.
private class Render: Job, @unchecked Sendable {
    // Safe: never changed after it was made.
    let size: Int

    init(size: Int) { self.size = size }

    func run() throws -> String { "gray \(size)" }
}

private class ColorRender: Render, @unchecked Sendable {
    let color: String

    init(size: Int, color: String) {
        self.color = color
        super.init(size: size)
    }

    private enum CodingKeys: CodingKey { case color }

    required init(from decoder: any Decoder) throws {
        color = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .color)
        try super.init(from: decoder)
    }

    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(color, forKey: .color)
    }

    override func run() throws -> String { "\(color) \(size)" }
}

private final class GlossyRender<Gloss: Codable & Sendable>: ColorRender, @unchecked Sendable {
    let gloss: Gloss

    init(size: Int, color: String, gloss: Gloss) {
        self.gloss = gloss
        super.init(size: size, color: color)
    }

    private enum CodingKeys: CodingKey { case gloss }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        gloss = try container.decode(Gloss.self, forKey: .gloss)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(gloss, forKey: .gloss)
        try super.encode(to: container.superEncoder())
    }

    override func run() throws -> String { try super.run() + " \(gloss)" }
}

/// Adds no fields, so that the coding it inherits is complete.
private final class LoudRender: Render, @unchecked Sendable {
    override func run() throws -> String { try super.run().uppercased() }
}

/// Adds a field, and inherits the coding that knows nothing of it.
private final class LostRender: Render, @unchecked Sendable {
    var shade = "none"

    override func run() throws -> String { "\(shade) \(size)" }
}

private class Shape: Codable, @unchecked Sendable {
    // Safe: never changed after it was made.
    var kind: String { "shape" }
}

private final class Circle: Shape, @unchecked Sendable {
    let radius: Double

    init(radius: Double) {
        self.radius = radius
        super.init()
    }

    required init(from decoder: any Decoder) throws {
        radius = try decoder.singleValueContainer().decode(Double.self)
        super.init()
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(radius)
    }

    override var kind: String { "circle \(radius)" }
}

/// Is nil to whoever looks at its bytes.
private final class Nothing: Shape, @unchecked Sendable {
    override init() { super.init() }

    required init(from decoder: any Decoder) throws {
        #expect(try decoder.singleValueContainer().decodeNil())
        super.init()
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }

    override var kind: String { "nothing" }
}

private struct Scene: Codable, Sendable {
    var main: Render
    var others: [String: [Render]]
    var background: Render?
}

/// Keeps what an object is by itself, as one has to with other coders.
private struct AnyRender: Codable, Sendable {
    let render: Render

    private enum CodingKeys: CodingKey { case isColor, render }

    init(_ render: Render) { self.render = render }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        render =
            try container.decode(Bool.self, forKey: .isColor)
            ? try container.decode(ColorRender.self, forKey: .render)
            : try container.decode(Render.self, forKey: .render)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(render is ColorRender, forKey: .isColor)
        try container.encode(render, forKey: .render)
    }
}

private let renders: [Render] = [
    Render(size: 1), ColorRender(size: 2, color: "red"), GlossyRender(size: 3, color: "blue", gloss: [0.5]),
    LoudRender(size: 4),
]

private let rendered = ["gray 1", "red 2", "blue 3 [0.5]", "GRAY 4"]

/// Instances of a subclass where their class is declared.
@Suite(.admitted)
struct SubclassTests {
    @Test("Jobs of a subclass run as what they are", arguments: TestBackend.allCases)
    func jobs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(renders) == rendered)
            #expect(try await pool.run(renders[1]) == "red 2")
        }
    }

    @Test("Inputs, outputs and shared values of a subclass stay what they are", arguments: TestBackend.allCases)
    func values(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(renders) { try $0.run() } == rendered)
            let outputs = try await pool.map(0..<2) { index -> Render in
                index == 0 ? ColorRender(size: 7, color: "green") : Render(size: 8)
            }
            #expect(try outputs.map { try $0.run() } == ["green 7", "gray 8"])
            #expect(outputs[0] is ColorRender)
            #expect(try await pool.map([1], with: renders[2]) { _, render in try render.run() } == [rendered[2]])
            let pairs = try await pool.map(zip(renders, 0...)) { ($1, $0) }
            #expect(try pairs.map { try $0.1.run() } == rendered)
        }
    }

    @Test("Inside larger values too", arguments: TestBackend.allCases)
    func largerValues(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let all = renders
            #expect(try await pool.run(all) { try $0.map { try $0.run() } } == rendered)
            #expect(try await pool.run(all[1] as Render?) { try $0?.run() } == "red 2")
            let scene = Scene(main: all[1], others: ["a": [all[2], all[0]]], background: all[3])
            let copy = try await pool.run(scene) { scene in
                var scene = scene
                scene.others["b"] = [scene.main]
                return scene
            }
            #expect(try copy.main.run() == "red 2")
            #expect(try copy.others["a"]?.map { try $0.run() } == ["blue 3 [0.5]", "gray 1"])
            #expect(try copy.others["b"]?.map { try $0.run() } == ["red 2"])
            #expect(try copy.background?.run() == "GRAY 4")
        }
    }

    @Test("Whoever keeps the class by itself still can", arguments: TestBackend.allCases)
    func ownDiscriminator(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(renders.map(AnyRender.init)) { try $0.render.run() } == rendered)
        }
    }

    @Test("Objects that are single values, and nil", arguments: TestBackend.allCases)
    func singleValues(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let exact = try await pool.run(Circle(radius: 2)) { $0.kind }
            #expect(exact == "circle 2.0")
            let shapes: [Shape?] = [Shape(), Nothing(), nil]
            #expect(try await pool.run(shapes) { $0.map { $0?.kind } } == ["shape", "nothing", nil])
        }
    }

    @Test("A subclass whose coding leaves out what it adds is refused by name")
    func inheritedCoding() async throws {
        let lost = LostRender(size: 5)
        lost.shade = "dark"
        let (declared, exact): (Render, LostRender) = (lost, lost)
        try await TestBackend.threads.withPool { pool async throws in
            #expect(try await pool.run(declared) == "dark 5")
        }
        try await TestBackend.processes.withPool { pool async throws in
            await expectRefusal("LostRender", "shade", "override encode(to:) and init(from:)") {
                _ = try await pool.run(declared)
            }
            await expectRefusal("LostRender", "shade") { _ = try await pool.run(exact) { $0.shade } }
            await expectRefusal("LostRender", "shade") { _ = try await pool.run([declared]) { $0.count } }
            await expectRefusal("LostRender", "shade") {
                _ = try await pool.run { () -> Render in LostRender(size: 6) }
            }
            // A single value tells nothing of the fields; refused where something else is declared.
            await expectRefusal("Circle", "radius") {
                _ = try await pool.run(Circle(radius: 2) as Shape) { $0.kind }
            }
            #expect(try await pool.run(Render(size: 1)) == "gray 1")
        }
    }
}
