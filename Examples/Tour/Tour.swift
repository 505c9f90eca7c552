import Glibc
import Multiprocessing

/// What five articles about Python's multiprocessing show, each of their programs written with this package.
///
/// Every program prints what that of the article prints, and ends the tour if a value of it is wrong.
@main
enum Tour {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            if options.isList { list() } else { try await show(options) }
        } catch let error as Misuse {
            complain("\(error.reason)\n\(Options.usage)")
            exit(2)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func list() {
        for article in Article.all {
            for program in article.programs {
                write("\(article.name)/\(program.name): \(program.about)\n", to: STDOUT_FILENO)
            }
        }
    }

    private static func show(_ options: Options) async throws {
        for article in Article.all {
            for program in article.programs where options.wants(program, of: article) {
                write("\n\(article.name)/\(program.name): \(program.about)\n", to: STDOUT_FILENO)
                for backend in options.backends {
                    let stage = Stage(backend: backend, isShort: options.isShort)
                    write("  on \(stage.place)\n", to: STDOUT_FILENO)
                    do {
                        try await program.run(on: stage)
                    } catch {
                        throw Stopped(program: "\(article.name)/\(program.name)", place: stage.place, error: error)
                    }
                }
            }
        }
    }

    private static func complain(_ text: String) { write("tour: \(text)\n", to: STDERR_FILENO) }
}

/// A program of the tour that came to a bad end.
struct Stopped: Error, CustomStringConvertible {
    let program: String
    let place: String
    let error: any Error

    var description: String { "\(program) on \(place): \(error)" }
}
