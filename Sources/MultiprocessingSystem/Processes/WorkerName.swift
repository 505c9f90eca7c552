internal import CMultiprocessing

/// How a worker process is called by `ps` and `top`.
package enum WorkerName {
    /// Names this process, which was started as a worker, "program worker 3".
    package static func set(index: Int) {
        mp_name_worker(index, CommandLine.unsafeArgv)
    }
}
