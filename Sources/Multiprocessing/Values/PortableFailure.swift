/// A conversation between the two ends of a channel that makes no sense.
struct PortableFailure: Error, CustomStringConvertible {
    let description: String

    static let unknownFrame = PortableFailure(description: "a frame that does not exist")
    static let unexpectedResult = PortableFailure(description: "a result that nobody waits for")
    static let unexpectedAnswer = PortableFailure(description: "an answer to what nobody has asked")
    static let unexpectedProgress = PortableFailure(description: "the progress of work that it was not given")
    static let missingResults = PortableFailure(description: "the end of work whose results are missing")
    static let secondHello = PortableFailure(description: "a greeting at the wrong time")
    static let unexpectedArray = PortableFailure(description: "an array that nobody waits for")
    static let noLength = PortableFailure(description: "a length that does not exist")
    static let unknownFunction = PortableFailure(description: "work that was never defined")
    static let unknownContext = PortableFailure(description: "a shared value that was never sent")
    static let unexpectedAttachment = PortableFailure(description: "an attachment that cannot be what it is sent as")
    static let wrongExecutable = PortableFailure(description: "the two ends do not run the same executable")
    static let notPrepared = PortableFailure(description: "work that was made for threads")

    /// What a worker runs that its parent does not, by its path; that of the executable is empty.
    static func otherBuild(of image: String) -> PortableFailure {
        PortableFailure(
            description: """
                it runs another build of \(image.isEmpty ? "the executable" : image), whose file was replaced while \
                the program runs (restart the program)
                """)
    }

    static func noMemory(_ size: Int) -> PortableFailure {
        PortableFailure(description: "a value of \(size) bytes, for which there is no memory")
    }
}
