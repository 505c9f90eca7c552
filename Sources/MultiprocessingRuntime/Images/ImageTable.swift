import CMultiprocessing
import Synchronization

/// The executable and the shared libraries of a process: where each is loaded and what lies where.
package struct ImageTable: Sendable {
    /// What has to be at an address.
    ///
    /// Linkers put constants into executable segments or into writable ones, as they like (gold,
    /// the toolchain's default, does both), so no more can be told from a segment's protection.
    package enum Content: Sendable {
        /// Instructions.
        case code
        /// Anything the image has in memory.
        case data
    }

    /// An address range with one protection.
    package struct Segment: Sendable {
        package let range: Range<UInt>
        package let isExecutable: Bool

        package init(range: Range<UInt>, isExecutable: Bool) {
            self.range = range
            self.isExecutable = isExecutable
        }
    }

    /// One executable or shared library.
    package struct Image: Sendable {
        /// The path the dynamic linker knows it by; empty for the main executable.
        package let name: String
        /// What was added to the addresses in the file when it was loaded.
        package let base: UInt
        package let segments: [Segment]
        /// Which build of the file it is.
        package fileprivate(set) var identity: ImageIdentity

        package init(name: String, base: UInt, segments: [Segment], identity: ImageIdentity = .unknown) {
            self.name = name
            self.base = base
            self.segments = segments
            self.identity = identity
        }

        /// Whether all of `range` lies in one segment that can hold `content`.
        package func contains(_ range: Range<UInt>, content: Content) -> Bool {
            segments.contains { segment in
                segment.range.contains(range.lowerBound) && range.upperBound <= segment.range.upperBound
                    && (segment.isExecutable || content == .data)
            }
        }
    }

    package let images: [Image]

    package init(images: [Image]) {
        self.images = images
    }

    /// Lists what the dynamic linker has loaded at this moment.
    package static func scan() -> ImageTable {
        var images: [Image] = []
        withUnsafeMutablePointer(to: &images) { images in
            mp_visit_images(images) { context, name, base, segments, count, buildID, buildIDSize in
                guard let context, let name, let segments else { return }
                let image = Image(
                    name: String(cString: name),
                    base: UInt(base),
                    segments: UnsafeBufferPointer(start: segments, count: count).map { segment in
                        Segment(
                            range: UInt(segment.start)..<UInt(segment.end),
                            isExecutable: segment.is_executable != 0
                        )
                    },
                    identity: buildID.map { ImageIdentity(UnsafeRawBufferPointer(start: $0, count: buildIDSize)) }
                        ?? .unknown
                )
                context.assumingMemoryBound(to: [Image].self).pointee.append(image)
            }
        }
        for index in images.indices { images[index].identity = ImageIdentities.shared.identity(of: images[index]) }
        return ImageTable(images: images)
    }

    /// The image that has all of `range` in one segment that can hold `content`.
    package func image(containing range: Range<UInt>, content: Content) -> Image? {
        images.first { $0.contains(range, content: content) }
    }

    /// The image that goes by `name` here: with the same path, or else with the same file name.
    ///
    /// The path of one library can differ between two processes when it was found through a
    /// relative search path.
    package func image(named name: String) -> Image? {
        if let image = images.first(where: { $0.name == name }) { return image }
        guard !name.isEmpty else { return nil }
        let file = name.split(separator: "/").last
        let candidates = images.filter { !$0.name.isEmpty && $0.name.split(separator: "/").last == file }
        return candidates.count == 1 ? candidates[0] : nil
    }
}

extension ImageTable {
    private static let cached = Mutex(ImageTable(images: []))

    /// Looks something up in this process's images, and scans again when it is not there.
    ///
    /// A library may have been loaded since the last scan. Images with Swift code are never
    /// unloaded, so what was found once stays true.
    package static func find<Found: Sendable>(_ look: (ImageTable) -> Found?) -> Found? {
        if let found = look(cached.withLock { $0 }) { return found }
        let table = scan()
        cached.withLock { $0 = table }
        return look(table)
    }

    /// Whether `count` bytes from `pointer` lie in one segment that can hold `content`.
    package static func isMapped(_ pointer: UnsafeRawPointer, count: Int, content: Content) -> Bool {
        let start = UInt(bitPattern: pointer)
        let (end, overflow) = start.addingReportingOverflow(UInt(count))
        guard !overflow else { return false }
        return find { $0.image(containing: start..<end, content: content).map { _ in true } } ?? false
    }
}
