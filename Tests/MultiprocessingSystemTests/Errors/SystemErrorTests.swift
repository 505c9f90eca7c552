import Glibc
import MultiprocessingSystem
import Testing

@Suite struct SystemErrorTests {
    @Test func saysWhatFailedAndWhy() {
        let error = SystemError(.noSuchFile, "open /nowhere")
        #expect("\(error)" == "open /nowhere: No such file or directory (errno 2)")
    }

    @Test func unknownNumberHasADescription() {
        #expect(Errno(rawValue: 12_345).description == "Unknown error 12345")
    }

    @Test func openOfAMissingFileThrows() {
        let error = #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open("/nowhere")
        }
        #expect(error == SystemError(.noSuchFile, "open /nowhere"))
    }

    @Test func signalsHaveNames() {
        #expect(Signal.segmentationFault.description == "SIGSEGV")
        #expect(Signal(rawValue: 42).description == "signal 42")
        #expect(ExitStatus.signaled(.illegalInstruction).description == "SIGILL")
        #expect(ExitStatus.exited(3).description == "exit code 3")
    }
}
