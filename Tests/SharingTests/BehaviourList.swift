// Behaviors that CPython's tests assert of processes, connections and shared state, and that have no test of their name
// here, with the reason. All others of those parts of the list have one in this folder.
//
// Processes
// test_current, test_active_children, test_parent_process_attributes
//     no registry of processes; `Worker.current` is the child's own view, `isRunning` its creator's
// test_daemon_argument            every child ends with its parent
// test_set_executable, start methods, forkserver, preload_resources, TestFlags, TestNoForkBomb,
// TestForkAwareThreadLock, TestNamedResource
//     a child is always this executable, started anew, and nothing has a name in the system
// test_interrupt                  a child has a session of its own, which the terminal's signals do not reach
// test_sentinel                   none: a task awaits `wait()`
// test_close                      nothing is to be closed; the object may go at any time
// test_wait_for_threads           a closure's end is the child's end
// test_subclassing                a `Job` is that
//
// Queues
// test_no_import_lock_contention  none: Swift's imports have no lock
// test_queue_feeder_on_queue_feeder_error
//     none: there is no feeder; `send` throws where it is called
// test_shutdown_immediate         none: a queue is not closed and emptied at once; receive what is left, or drop it
//
// Locks, semaphores, conditions, events, barriers
// test_repr_lock, test_repr_rlock the description names the process; Swift's threads have no names for people
// test_semlock_subclass           nothing shared has a name in the system
// test_release of a bounded semaphore, left out by CPython: tested, and refused
// test_action (barrier)           none: whoever gets 0 from `wait` runs it and waits once more
// test_default_timeout            none: each `wait` has its own
// a wait that SIGINT ends         cancellation is the twin, and is tested
//
// Values, arrays, memory
// a lock of one's own in Value    none: a SharedLock beside it
// heap: free blocks, arenas       none: small things are never reused while others live; an array owns its memory
// names, unlink, resource tracker none: nothing has a name
// ShareableList                   none: an array, or a queue of values
//
// Connections
// test_duplex_false               the types say what travels which way
// sendbytes, recv_bytes_into, BufferTooShort
//     messages are typed; `[UInt8]` is one, and nobody has to bring a buffer
// test_fd_transfer, TestInvalidHandle
//     handles of shared things travel; numbers of descriptors do not
// TestTimeouts, TestIgnoreEINTR   no global time-out; signals are seen to below the library
// test_wait_socket, test_wait_integer
//     `first(of:)` waits for connections of one type
