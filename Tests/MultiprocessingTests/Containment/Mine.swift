import Glibc
import Multiprocessing
import MultiprocessingSystem

/// Leaves a thread in the worker that ends the process some time after the item has ended.
struct Mine: Job {
    let crash: Crash
    /// The line "now", or the worker's process id, sets it off.
    let fuse: Notebook
    /// What to wait for then.
    var moment = Moment.idle
    /// How many items that leave mines run at the same time, so that each has its own worker.
    var count = 1

    enum Moment: Codable {
        case idle
        /// The worker has read all that its parent has sent so far.
        case halfRead
        /// The worker's parent has not read all that it has sent so far.
        case halfWritten
    }

    func run() throws -> Int32 {
        let process = getpid()
        fuse.write("mined")
        try fuse.wait { $0.count { $0 == "mined" } == count }
        _ = try NativeThread(name: "mine", stackSize: 1 << 20) { [self] in
            try? fuse.wait { $0.contains("now") || $0.contains("\(process)") }
            while !isMoment { usleep(200) }
            crash.happen()
        }
        return process
    }

    private var isMoment: Bool {
        switch moment {
        case .idle: true
        case .halfRead: Self.pendingBytes(UInt(FIONREAD)) == 0
        case .halfWritten: Self.pendingBytes(UInt(TIOCOUTQ)) > 0
        }
    }

    /// How many bytes the process's sockets hold, to be read here or by their peers.
    private static func pendingBytes(_ request: UInt) -> Int {
        (0..<Int32(32)).reduce(0) { sum, descriptor in
            var status = stat()
            var count: Int32 = 0
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK,
                ioctl(descriptor, request, &count) == 0
            else { return sum }
            return sum + Int(count)
        }
    }
}
