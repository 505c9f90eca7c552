// Where each behavior that the tests of CPython's pools and executors assert is tested here, by
// the numbers of the list that the tests' names begin with, or why it has no twin.
//
// Pool
// 160 apply                       SubmitTests
// 161 map                         MapTests
// 162 starmap                     MapTests; map_async is a task that awaits map
// 163 map_async_callbacks         FutureTests; handlers have a queue of their own, so no wait includes them
// 164 map_unplicklable            BadInputTests
// 165 map_chunksize               MapTests
// 166 handle_iterable_exception   MapTests; a Sequence cannot throw, an AsyncSequence is under 170
// 167 async                       SubmitTests
// 168 async_timeout               FutureTests
// 169 imap                        StreamTests
// 170 imap, iterable exception    StreamTests
// 171 imap_unordered              StreamTests
// 172 make_pool                   BadInputTests, PoolEndTests
// 173 terminate                   PoolEndTests
// 174 empty_iterable              MapTests, StreamTests
// 175 context                     PoolEndTests
// 176 traceback                   ErrorTests; Swift errors have no traceback
// 177 wrapped_exception           ErrorTests
// 178 map_no_failfast             ErrorTests; reversed: map fails fast, results does not
// 179 release_task_refs           ReleaseTests
// 180 enter                       PoolEndTests; work on a pool that has ended is refused
// 181 resource_warning            none: a dropped pool ends by itself, which the lifetime tests show
// 182 async_error_callback        FutureTests
// 183 unpickleable_result         BadInputTests
// 184-186 maxtasksperchild        LifespanTests, StopTests
// 187 unclosed pool at exit       the lifetime tests
// 188 initializer                 SetUpTests
// 189 NotLeakOnFailure            SchedulerTests; with real limits, the lifetime tests
//
// Futures
// 190 done_callback               FutureTests
// 191 done_callback_raises        FutureTests; a handler cannot throw, but it can block
// 192 done_callback_already       FutureTests
// 193 raises_already_succeeded    none: a handler cannot throw
// 194 repr                        FutureTests
// 195 cancel                      FutureTests; a future that runs can be cancelled
// 196 cancelled, done, running    FutureTests; a future is finished or not
// 197 result_with_timeout         FutureTests
// 198 result_with_success         FutureTests
// 199 exception                   FutureTests
// 200 multiple_set_result         FutureTests; nobody sets a result, but cancel competes with it
//
// Several futures
// 201 duplicates                  SeveralFuturesTests
// 202 first_completed             SeveralFuturesTests; a cancelled future has ended
// 203 first_exception             SeveralFuturesTests; all looks at the futures in order
// 204 all_completed               SeveralFuturesTests; a time limit is a task's business
// 205 pending_calls_race          SeveralFuturesTests
// 206 as_completed                SeveralFuturesTests, ReleaseTests
//
// Executors
// 207 submit                      SubmitTests; Swift has no keyword arguments to collide with
// 208 map                         MapTests
// 209 map_exception               ErrorTests
// 210, 211 map_timeout            NextTimeoutTests; a limit of each item, DeadlineTests
// 212 map_close                   BackPressureTests
// 213 map_buffersize              BackPressureTests, BadInputTests
// 214 shutdown_race               PoolEndTests
// 215 no_stale_references         ReleaseTests, LargeArrayTests
// 216 max_workers_negative        BadInputTests
// 217 falsey exceptions           none: an error in Swift is not tested for truth
// 218 submits_without_iteration   BackPressureTests; reversed: a stream that nobody reads runs nothing
// 219 threads: saturation, reuse  PoolEndTests
// 220 current_future_cancel       CancellationTests
// 221 killed_child                the containment tests
// 222 map_chunksize               MapTests, BadInputTests
// 223 traceback                   ErrorTests
// 224 resources_gced_in_workers   ReleaseTests
// 225 processes: saturation       PoolEndTests
// 226-229 max_tasks_per_child     LifespanTests, StopTests
// 230 failed_worker_replacement   SchedulerTests; with real limits, the lifetime tests
// 231 terminate_workers           PoolEndTests, the lifetime tests
// 232 python_finalization_error   none: there is no interpreter to finalize
//
// Shut-down and deadlocks
// 233, 234 initializer            SetUpTests
// 235 run_after_shutdown          PoolEndTests
// 236, 237 interpreter_shutdown   none: a program that exits ends its pools; the lifetime tests
// 238 hang_issue12364             PoolEndTests
// 239 cancel_futures              CancellationTests
// 240 hang_gh83386                none: shutDown waits; who does not want to calls it in a task
// 241 hang_gh94440                CancellationTests
// 242 terminate, del, context     PoolEndTests, the lifetime tests
// 243 thread_names                none: a worker is told apart by Worker.current, in SubmitTests
// 244 cancel_futures_wait_false   none: as 240
// 245 error_at_task_pickle        BadInputTests
// 246 at_task_unpickle            BadInputTests; exits and crashes, the containment tests
// 247 during_func_exec            ErrorTests; exits and crashes, the containment tests
// 248 during_result_pickle        BadInputTests; exits and crashes, the containment tests
// 249 during_result_unpickle      BadInputTests; code that traps in the parent is the parent's end
// 250 shutdown_deadlock           PoolEndTests
// 251 crash_big_data              the containment tests
// 252 wakeup_pipe_full            SubmitTests
//
// What pebble, billiard (with Celery on it) and mpire say of themselves; the article "Control" has it beside this library
// pebble timeout                  DeadlineTests, StopTests; of a chunk: each item has its own
// pebble cancel                   DeadlineTests, StopTests; the worker's other processes end too
// pebble max_tasks                LifespanTests
// pebble ProcessExpired           CrashTests
// pebble initializer              SetUpTests
// billiard timeout, soft_timeout  DeadlineTests; one limit and a grace period
// billiard max_memory_per_child   StopTests; a hard limit, ResourceLimitsTests
// billiard maxtasksperchild       LifespanTests; what makes no sense, WorkOptionsTests
// billiard max_restarts           StartFailureTests, SetUpTests
// celery revoke                   StopTests
// mpire task_timeout              DeadlineTests, WorkOptionsTests
// mpire worker_init_timeout       SetUpTests
// mpire worker_lifespan           LifespanTests
//
// Known faults of other libraries: 7 to 9 StopTests; 10 SetUpTests; 20 BackPressureTests; 21 LargeValueTests, and FrameAssemblerTests for lengths of 64 bits;
// 22 BadInputTests; 23 LargeValueTests; 24 LargeValueTests; 25 the lifetime tests; 26 ReleaseTests;
// 27 CancellationTests; 28 StopTests; 31 SurroundingsTests.
