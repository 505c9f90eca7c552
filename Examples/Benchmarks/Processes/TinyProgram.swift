import Glibc

#if !arch(x86_64)
#error("TinyProgram has machine code for x86-64 only; add the six bytes of exit(0) for this architecture")
#endif

/// The least that can be started as a program: it is loaded, and exits with status 0.
///
/// What it takes to start it is what no worker process can beat. It is written byte by byte,
/// because a machine that runs Swift programs need not have a C compiler.
final class TinyProgram {
    private let path = "/tmp/multiprocessing-tiny-\(getpid())"

    init() throws(SystemFailure) {
        unlink(path)
        try TextFile.write(Self.executable, to: path, mode: 0o700)
    }

    deinit {
        unlink(path)
    }

    /// Starts it so many times, and waits for all of them.
    func run(times: Int) throws(SystemFailure) {
        var processIDs: [pid_t] = []
        for _ in 0..<times {
            var processID: pid_t = 0
            var argv = [strdup(path), nil]
            defer { free(argv[0]) }
            let code = posix_spawn(&processID, path, nil, nil, &argv, environ)
            guard code == 0 else { throw SystemFailure("starting \(path)", code: code) }
            processIDs.append(processID)
        }
        for processID in processIDs {
            var status: Int32 = -1
            guard waitpid(processID, &status, 0) == processID, status == 0 else {
                throw SystemFailure("waiting for \(path)", code: ECHILD)
            }
        }
    }

    /// An ELF file of one segment that holds all of it: two headers and the code.
    private static let executable: [UInt8] = {
        // mov edi, 0; mov eax, 60 (exit); syscall
        let code: [UInt8] = [0xBF, 0, 0, 0, 0, 0xB8, 60, 0, 0, 0, 0x0F, 0x05]
        let base: UInt64 = 0x40_0000
        let headers: UInt64 = 64 + 56
        let size = headers + UInt64(code.count)
        // 64 bits, little-endian, version 1, then eight bytes of padding.
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + Array(repeating: 0, count: 8)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
        }
        append(UInt16(2))  // an executable
        append(UInt16(62))  // x86-64
        append(UInt32(1))
        append(base + headers)  // where it begins to run
        append(UInt64(64))  // where the program header is
        append(UInt64(0))
        append(UInt32(0))
        for field: UInt16 in [64, 56, 1, 0, 0, 0] { append(field) }
        append(UInt32(1))  // loaded
        append(UInt32(5))  // to be read and executed
        append(UInt64(0))
        append(base)
        append(base)
        append(size)
        append(size)
        append(UInt64(4096))
        return bytes + code
    }()
}
