internal import CMultiprocessing

/// What a process that is there already is told and passed to become a worker.
struct WorkerRequest: ~Copyable {
    private let mark: String
    private let input: FileDescriptor
    private let folder: FileDescriptor
    private let numbers: [DescriptorNumber]

    /// - Throws: For what a worker that is started by itself may stand, such as a long mark or a folder that has gone.
    init(
        _ command: Command, _ folder: Folder?, _ output: DescriptorNumber?, _ errors: DescriptorNumber?,
        _ passed: [DescriptorNumber]
    ) throws(SystemError) {
        guard let mark = command.markValue, mark.utf8.count < Int(MP_TEMPLATE_REQUEST_LIMIT) else {
            throw SystemError(.messageTooLong, "a worker's mark")
        }
        try folder?.check()
        let empty = try StandardStreams.openEmpty()
        let place = try FileDescriptor.openFolder(folder?.path ?? ".")
        let streams = [empty.number, output ?? .standardOutput, errors ?? .standardError]
        numbers = streams + passed + [place.number]
        self.mark = mark
        input = empty
        self.folder = place
    }

    /// Sends it; `nil` if that failed, because something is closed here, such as standard output.
    borrowing func send(over socket: borrowing Socket) -> SendResult? {
        let numbers = numbers
        var mark = mark
        return mark.withUTF8 { bytes in
            try? Socket.send(UnsafeRawBufferPointer(bytes), nil, descriptors: numbers, over: socket.number)
        }
    }
}
