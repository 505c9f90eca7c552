/// An address in the executable or one of its libraries, in a form that holds in every process.
///
/// The kernel loads an executable at another address each time, but all of it moves together:
/// an image's name and the distance from its base name the same code or constant wherever the
/// same files are loaded. That they are the same is checked: a library's file may be replaced by
/// another build while the program runs, and a process that starts later loads that one.
package struct ImageAddress: Hashable, Sendable {
    /// The image's path; empty for the main executable.
    package let image: String
    /// The distance from the image's base.
    package let offset: UInt
    /// Which build of a library it is; the executable's is compared when a worker starts.
    private let identity: ImageIdentity

    /// Names the `count` bytes at `pointer`, which have to lie within one image's `content`.
    package init(
        _ pointer: UnsafeRawPointer,
        count: Int = 1,
        content: ImageTable.Content
    ) throws(NotPortable) {
        let range = UInt(bitPattern: pointer)..<UInt(bitPattern: pointer) + UInt(count)
        guard let image = ImageTable.find({ $0.image(containing: range, content: content) }) else {
            throw NotPortable("its address belongs to no loaded executable or library")
        }
        self.init(range.lowerBound, in: image)
    }

    /// Names `address`, which lies in `image`.
    package init(_ address: UInt, in image: ImageTable.Image) {
        self.image = image.name
        offset = address &- image.base
        identity = image.name.isEmpty ? .unknown : image.identity
    }

    /// Finds the same place in this process, and checks that `count` bytes of `content` are there.
    package func resolve(count: Int = 1, content: ImageTable.Content) throws(NotPortable) -> UnsafeRawPointer {
        let found = ImageTable.find { table -> Result<UInt, NotPortable>? in
            do throws(NotPortable) {
                return .success(try resolve(count: count, content: content, in: table))
            } catch {
                return nil
            }
        }
        if case .success(let address)? = found, let pointer = UnsafeRawPointer(bitPattern: address) { return pointer }
        // The second look, after the scan, is the one whose reason counts.
        let address = try resolve(count: count, content: content, in: ImageTable.scan())
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { throw .damaged("an address is zero") }
        return pointer
    }

    /// The address in a process that has `table` loaded.
    package func resolve(
        count: Int = 1,
        content: ImageTable.Content,
        in table: ImageTable
    ) throws(NotPortable) -> UInt {
        guard let image = table.image(named: image) else {
            throw NotPortable("the library \(image) is not loaded in the process that received the work")
        }
        guard self.image.isEmpty || image.identity == identity else {
            throw NotPortable(
                """
                the library \(self.image) is another build in the process that received the work, because its file \
                was replaced while the program runs; restart the program
                """)
        }
        let (start, overflow) = image.base.addingReportingOverflow(offset)
        let (end, endOverflow) = start.addingReportingOverflow(UInt(count))
        guard !overflow, !endOverflow, image.contains(start..<end, content: content) else {
            throw .damaged("an address lies outside of \(self.image.isEmpty ? "the executable" : self.image)")
        }
        return start
    }
}

extension ImageAddress {
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(string: image)
        bytes.append(number: offset)
        if !image.isEmpty { identity.encode(into: &bytes) }
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        image = try reader.readString()
        offset = try reader.readNumber()
        identity = image.isEmpty ? .unknown : try ImageIdentity(decoding: &reader)
    }
}
