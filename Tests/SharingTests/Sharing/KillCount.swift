import Glibc
import Multiprocessing

/// How many processes a test kills: few in CI; as many as `MULTIPROCESSING_KILLS` says for a long soak.
func killCount(_ usual: Int) -> Int {
    getenv("MULTIPROCESSING_KILLS").flatMap { Int(String(cString: $0)) } ?? usual
}
