import MultiprocessingRuntime
import Testing

struct ImageAddressTests {
    private static func table(base: UInt, library: UInt, path: String = "/usr/lib/libexample.so") -> ImageTable {
        ImageTable(images: [
            ImageTable.Image(
                name: "",
                base: base,
                segments: [
                    .init(range: base..<base + 0x1000, isExecutable: false),
                    .init(range: base + 0x1000..<base + 0x3000, isExecutable: true),
                    .init(range: base + 0x3000..<base + 0x4000, isExecutable: false),
                ]
            ),
            ImageTable.Image(
                name: path,
                base: library,
                segments: [.init(range: library..<library + 0x1000, isExecutable: true)]
            ),
        ])
    }

    private let here = table(base: 0x5555_0000, library: 0x7F00_0000)
    private let there = table(base: 0x1234_0000, library: 0x8800_0000, path: "../lib/libexample.so")

    @Test func `An address moves with its image`() throws {
        let image = try #require(here.image(containing: 0x5555_1010..<0x5555_1011, content: .code))
        let address = ImageAddress(0x5555_1010, in: image)
        #expect(try address.resolve(content: .code, in: here) == 0x5555_1010)
        #expect(try address.resolve(content: .code, in: there) == 0x1234_1010)
    }

    @Test func `A library found by another path is the same library`() throws {
        let image = try #require(here.image(containing: 0x7F00_0020..<0x7F00_0028, content: .code))
        #expect(try ImageAddress(0x7F00_0020, in: image).resolve(content: .code, in: there) == 0x8800_0020)
    }

    @Test func `An address with other content is an error`() throws {
        let executable = here.images[0]
        for (offset, content) in [
            (0xFF8, .code), (0x3000, .code), (0x4000, .data), (.max, .code), (.max, .data),
        ] as [(UInt, ImageTable.Content)] {
            let address = ImageAddress(executable.base &+ offset, in: executable)
            #expect(throws: NotPortable.self) { try address.resolve(content: content, in: there) }
        }
    }

    @Test func `A range may not leave its segment`() throws {
        let address = ImageAddress(here.images[0].base + 0x2FF8, in: here.images[0])
        #expect(try address.resolve(count: 8, content: .code, in: there) == 0x1234_2FF8)
        #expect(throws: NotPortable.self) { try address.resolve(count: 9, content: .code, in: there) }
    }

    @Test func `A library that is not loaded is named`() {
        let library = ImageTable.Image(name: "/opt/libother.so", base: 0, segments: [])
        #expect {
            try ImageAddress(16, in: library).resolve(content: .code, in: there)
        } throws: {
            "\($0)".contains("/opt/libother.so")
        }
    }

    @Test func `A library of another build is refused, the executable's is compared elsewhere`() throws {
        func image(_ name: String, build: [UInt8]?) -> ImageTable.Image {
            ImageTable.Image(
                name: name,
                base: 0x1000,
                segments: [.init(range: 0x1000..<0x2000, isExecutable: true)],
                identity: build?.withUnsafeBytes { ImageIdentity($0) } ?? .unknown
            )
        }
        let library = image("/opt/libplug.so", build: [1, 2, 3])
        let address = ImageAddress(0x1010, in: library)
        #expect(try address.resolve(content: .code, in: ImageTable(images: [library])) == 0x1010)
        for build in [[1, 2, 4], nil] as [[UInt8]?] {
            #expect {
                let other = ImageTable(images: [image("/opt/libplug.so", build: build)])
                _ = try address.resolve(content: .code, in: other)
            } throws: {
                "\($0)".contains("/opt/libplug.so is another build") && "\($0)".contains("restart the program")
            }
        }
    }

    @Test func `Every image of this process can be told from others`() throws {
        let images = ImageTable.scan().images
        #expect(Set(images.map(\.identity)).count == images.count)
        #expect(images.map(\.identity) == ImageTable.scan().images.map(\.identity))
    }

    @Test func `This process's own code is found`() throws {
        let table = ImageTable.scan()
        #expect(table.images.first?.name == "")
        #expect(table.images[0].segments.contains { $0.isExecutable })
    }

    @Test func `Bytes keep every offset`() throws {
        for offset in [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, UInt(Int.max), .max] {
            let image = ImageTable.Image(name: "lib\(offset).so", base: 0, segments: [])
            let address = ImageAddress(offset, in: image)
            var bytes: [UInt8] = []
            address.encode(into: &bytes)
            var reader = ReferenceReader(bytes)
            #expect(try ImageAddress(decoding: &reader) == address)
            #expect(reader.isAtEnd)
        }
    }
}
