import Glibc

/// Measures the library on both backends, next to what the machine can do at best and to Python.
///
/// `benchmarks --help` tells the options; every measurement tells what it does when it runs.
@main
struct Benchmarks {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let role = ChildRole(arguments) {
            await role.play()
        }
        do {
            let options = try Options(arguments)
            if options.wantsHelp {
                print(Options.usage)
                return
            }
            try await run(options)
        } catch let misuse as Misuse {
            Complaint.print(misuse.reason)
            exit(64)
        } catch {
            Complaint.print("\(error)")
            exit(1)
        }
    }

    private static func run(_ options: Options) async throws {
        // A child that is gone shows as an error of the call, not as the end of this program.
        signal(SIGPIPE, SIG_IGN)
        let python = options.peers ? Python() : nil
        defer { python?.close() }
        if let python {
            print(python.description)
        } else if options.peers {
            print("there is no Python 3 here, so there are no peers: put python3 in PATH or name it with PYTHON")
        }
        var rows: [Row] = []
        let runner = Runner(rounds: options.rounds, peers: python?.peers ?? [])
        for measurement in options.measurements {
            let report = try await runner.run(measurement)
            print(Table(report))
            fflush(nil)
            rows += report.rows
        }
        if let path = options.json { try TextFile.write(JSON.array(rows.map(\.json)).description + "\n", to: path) }
        if let path = options.svg { try TextFile.write(Chart(rows).description, to: path) }
    }
}
