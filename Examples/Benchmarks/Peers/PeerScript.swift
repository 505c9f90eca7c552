/// The program that Python runs: the same work as here, on one of Python's pools.
///
/// It is a string and not a resource, so that the executable needs no files beside it. It has to
/// be written to a file, because the workers of spawned pools import it.
enum PeerScript {
    static let text = #"""
        import functools, multiprocessing, multiprocessing.managers, os, sys, tempfile, time
        from dataclasses import dataclass, replace
        from typing import List, Optional

        WORKERS = 2

        # The peer that has no pool, but state that processes share.
        SHARING = "multiprocessing"

        # What runs in the workers

        def square(x): return x * x
        def add_one(x): return x + 1
        def same(x): return x
        def pick(table, i): return table[i * 7919 & 0xFFFFF] + i

        def meet(paths):
            arrived = os.open(paths[0], os.O_WRONLY)
            os.write(arrived, b"x")
            os.close(arrived)
            os.close(os.open(paths[1], os.O_RDONLY))
            return 1

        @dataclass
        class Place:
            x: float
            y: float
            label: str

        @dataclass
        class Record:
            id: int
            name: str
            score: float
            isActive: bool
            weights: List[float]
            counts: List[int]
            tags: List[str]
            place: Place
            parent: Optional[int]

        def make(i):
            return Record(i, "record %d" % i, i * 0.5, i % 2 == 0, [i + k * 0.25 for k in range(4)],
                          list(range(i, i + 8)), ["alpha", "beta %d" % (i % 10)],
                          Place(i * 0.001, i * -0.001, "north"), i - 1 if i % 3 else None)

        def change(r):
            return replace(r, id=r.id + 1, score=r.score * 2, tags=r.tags + ["done"], parent=r.id)

        # The pools. `chunk` None is the pool's own choice; one that has none gets 1,000 items a chunk.

        class Standard:
            def __init__(self, make): self.pool = make()
            def begin(self, f, x): return self.pool.apply_async(f, (x,)).get
            def map(self, f, xs, chunk): return self.pool.map(f, xs, chunk)
            def stream(self, f, xs, chunk): return self.pool.imap(f, xs, chunk)
            def stream_unordered(self, f, xs, chunk): return self.pool.imap_unordered(f, xs, chunk)
            def close(self):
                self.pool.close()
                self.pool.join()

        class Executor:
            chunk = 1000
            def __init__(self, make): self.pool = make()
            def stream(self, f, xs, chunk): raise Skip("it takes all its input before the first result")
            def begin(self, f, x): return self.pool.submit(f, x).result
            def map(self, f, xs, chunk):
                if not (chunk or self.chunk): raise Skip("it sends items one by one and has no chunks")
                return list(self.pool.map(f, xs, chunksize=chunk or self.chunk))
            def close(self): self.pool.shutdown()

        class ThreadExecutor(Executor):
            chunk = None

        class Mpire(Standard):
            def map(self, f, xs, chunk): return self.pool.map(f, xs, chunk_size=chunk)
            def stream(self, f, xs, chunk): return self.pool.imap(f, xs, chunk_size=chunk)
            def stream_unordered(self, f, xs, chunk): return self.pool.imap_unordered(f, xs, chunk_size=chunk)
            def close(self): self.pool.stop_and_join()

        class Pebble(Standard):
            def begin(self, f, x): return self.pool.schedule(f, args=(x,)).result
            def map(self, f, xs, chunk): return list(self.pool.map(f, xs, chunksize=chunk or 1000).result())
            def stream(self, f, xs, chunk): raise Skip("it takes all its input before the first result")

        def context_pool(kind): return Standard(lambda: multiprocessing.get_context(kind).Pool(WORKERS))

        def dummy():
            from multiprocessing.dummy import Pool
            return Standard(lambda: Pool(WORKERS))

        def process_executor():
            from concurrent.futures import ProcessPoolExecutor
            return Executor(lambda: ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("fork")))

        def thread_executor():
            from concurrent.futures import ThreadPoolExecutor
            return ThreadExecutor(lambda: ThreadPoolExecutor(WORKERS))

        def loky():
            from loky import ProcessPoolExecutor
            return Executor(lambda: ProcessPoolExecutor(WORKERS))

        def mpire():
            from mpire import WorkerPool
            return Mpire(lambda: WorkerPool(n_jobs=WORKERS, start_method="fork", keep_alive=True))

        def pebble():
            from pebble import ProcessPool
            context = multiprocessing.get_context("fork")
            return Pebble(lambda: ProcessPool(max_workers=WORKERS, context=context))

        PEERS = {
            "Pool fork": ("processes", lambda: context_pool("fork"), None),
            "Pool forkserver": ("processes", lambda: context_pool("forkserver"), None),
            "Pool spawn": ("processes", lambda: context_pool("spawn"), None),
            "ProcessPoolExecutor": ("processes", process_executor, None),
            "loky": ("processes", loky, "loky"),
            "mpire": ("processes", mpire, "mpire"),
            "pebble": ("processes", pebble, "pebble"),
            SHARING: ("processes", None, None),
            "dummy": ("threads", dummy, None),
            "ThreadPoolExecutor": ("threads", thread_executor, None),
        }

        # The measurements: each prepares, and returns what is timed and a check of its result

        def round_trip(pool, count):
            def work(): return sum(pool.begin(add_one, i)() for i in range(count))
            return work, lambda total: total == count * (count + 1) // 2

        def submit(pool, count):
            def work(): return sum([get() for get in [pool.begin(add_one, i) for i in range(count)]])
            return work, lambda total: total == count * (count + 1) // 2

        def mapped(f, chunk):
            def prepare(pool, count):
                xs = list(range(count))
                return lambda: pool.map(f, xs, chunk), lambda ys: ys == [f(x) for x in xs]
            return prepare

        def streamed(chunk):
            def prepare(pool, count):
                return lambda: sum(pool.stream(square, range(count), chunk)), lambda total: total == squares(count)
            return prepare

        def streamed_unordered(chunk):
            def prepare(pool, count):
                return (lambda: sum(pool.stream_unordered(square, range(count), chunk)),
                        lambda total: total == squares(count))
            return prepare

        def squares(count): return sum(square(x) for x in range(count))

        def echo(pool, count):
            data = bytes(range(256)) * (count // 256)
            return lambda: pool.begin(same, data)(), lambda back: back == data

        def structs(pool, count):
            records = [make(i) for i in range(count)]
            def is_right(ys):
                return len(ys) == count and all(
                    (y.id, y.score, len(y.tags), y.parent) == (r.id + 1, r.score * 2, 3, r.id)
                    for r, y in zip(records, ys))
            return lambda: pool.map(change, records, None), is_right

        def captures(pool, count):
            table = bytes(range(256)) * 4096
            f = functools.partial(pick, table)
            xs = list(range(count))
            return lambda: pool.map(f, xs, None), lambda ys: ys == [f(x) for x in xs]

        WARM = {"round-trip": round_trip, "submit": submit, "small": mapped(square, 1), "map": mapped(square, None),
                "stream": streamed(1), "stream-unordered": streamed_unordered(1),
                "stream-chunks": streamed(256), "stream-chunks-unordered": streamed_unordered(256),
                "echo": echo, "structs": structs, "captures": captures}

        def start_first(make):
            pool = make()
            total = pool.begin(add_one, 1)()
            pool.close()
            return total == 2

        def start_both(make):
            with tempfile.TemporaryDirectory() as folder:
                paths = [folder + "/arrived", folder + "/go"]
                for path in paths: os.mkfifo(path)
                arrived = os.open(paths[0], os.O_RDWR)
                start = time.perf_counter()
                pool = make()
                gets = [pool.begin(meet, paths) for _ in range(WORKERS)]
                for _ in range(WORKERS): os.read(arrived, 1)
                go = os.open(paths[1], os.O_RDWR)
                total = sum(get() for get in gets)
                pool.close()
                seconds = time.perf_counter() - start
                os.close(arrived)
                os.close(go)
                return total == WORKERS, seconds

        # State that processes share. Each gives the seconds and whether the result is right; where it does only a
        # part of the work, times `factor`, because it would take too long.

        FORK = multiprocessing.get_context("fork")

        def both(first, second):
            """Runs two functions in processes of their own at once: the longer time, and the sum of the results."""
            barrier = FORK.Barrier(2)
            results = FORK.SimpleQueue()
            def part(body):
                barrier.wait()
                start = time.perf_counter()
                result = body()
                results.put((time.perf_counter() - start, result))
            processes = [FORK.Process(target=part, args=(body,)) for body in (first, second)]
            for process in processes: process.start()
            parts = [results.get() for _ in processes]
            for process in processes: process.join()
            return max(seconds for seconds, _ in parts), sum(result for _, result in parts)

        def lock(count, factor):
            lock = FORK.Lock()
            total = 0
            start = time.perf_counter()
            for _ in range(count):
                with lock: total += 1
            return (time.perf_counter() - start) * factor, total == count

        def contended(count, inside, factor):
            lock = FORK.Lock()
            def body():
                now = time.perf_counter_ns
                for _ in range(count):
                    with lock:
                        if inside:
                            end = now() + inside
                            while now() < end: pass
                return count
            seconds, total = both(body, body)
            return seconds * factor, total == 2 * count

        def hand_off(count):
            there, back = FORK.Semaphore(0), FORK.Semaphore(0)
            def first():
                for _ in range(count):
                    there.release()
                    back.acquire()
                return count
            def second():
                for _ in range(count):
                    there.acquire()
                    back.release()
                return count
            seconds, total = both(first, second)
            return seconds, total == 2 * count

        def through(items, result):
            """Sends items through a queue; `result` is what is added up."""
            queue = FORK.Queue()
            def send():
                for item in items: queue.put(item)
                return 0
            def receive(): return sum([result(queue.get()) for _ in range(len(items))])
            return both(send, receive)

        def queue(count, batch, factor):
            if batch == 1: seconds, total = through(range(count), lambda x: x)
            else: seconds, total = through([list(range(i * batch, (i + 1) * batch)) for i in range(count)], sum)
            count *= batch
            return seconds * factor, total == count * (count - 1) // 2

        def queue_structs(count):
            seconds, total = through([make(i) for i in range(count)], lambda record: record.id)
            return seconds, total == count * (count - 1) // 2

        def queue_large(count):
            seconds, total = through([bytes(1 << 20)] * count, len)
            return seconds, total == count << 20

        def ping_pong(count):
            there, back = FORK.Queue(), FORK.Queue()
            def first():
                x = 0
                for _ in range(count):
                    there.put(x)
                    x = back.get()
                return x
            def second():
                for _ in range(count): back.put(there.get() + 1)
                return 0
            seconds, total = both(first, second)
            return seconds, total == count

        def connection(count):
            left, right = FORK.Pipe()
            def first():
                data = b"x" * 64
                for _ in range(count):
                    left.send(data)
                    data = left.recv()
                return len(data)
            def second():
                for _ in range(count): right.send(right.recv())
                return 0
            seconds, total = both(first, second)
            return seconds, total == 64

        def value(count, factor):
            value = FORK.Value("q")
            def body():
                for _ in range(count):
                    with value.get_lock(): value.value += 1
                return 0
            seconds, _ = both(body, body)
            return seconds * factor, value.value == 2 * count

        def array(count, passes, factor):
            values = FORK.RawArray("d", count)
            def half(part):
                def body():
                    for _ in range(passes):
                        for i in part: values[i] += 1
                    return len(part)
                return body
            seconds, total = both(half(range(count // 2)), half(range(count // 2, count)))
            return seconds * factor, total == count and values[0] == values[count - 1] == passes

        class Counter:
            def __init__(self): self.count = 0
            def add(self, number):
                self.count += number
                return self.count

        class CounterManager(multiprocessing.managers.BaseManager): pass
        CounterManager.register("Counter", Counter)

        def calls(counter, count):
            before = counter.add(0)
            start = time.perf_counter()
            for _ in range(count): counter.add(1)
            seconds = time.perf_counter() - start
            return seconds, counter.add(0) - before == count

        def manager_call(count):
            with CounterManager() as manager: return calls(manager.Counter(), count)

        def manager_dict(count):
            with FORK.Manager() as manager:
                table = manager.dict()
                def body(key):
                    def work():
                        found = 0
                        for i in range(count // 2):
                            table[key] = "value %d" % i
                            found += table[key] == "value %d" % i
                        return found
                    return work
                seconds, total = both(body("key 0"), body("key 1"))
                return seconds, total == count // 2 * 2

        def manager_start(count):
            start = time.perf_counter()
            for _ in range(count):
                with FORK.Manager() as manager: size = len(manager.dict())
            return (time.perf_counter() - start) / count, size == 0

        def manager_tcp(count):
            with CounterManager(("127.0.0.1", 0)) as manager: return calls(manager.Counter(), count)

        SHARED = {"lock": lock, "lock-contended": contended, "hand-off": hand_off, "queue": queue,
                  "queue-structs": queue_structs, "queue-large": queue_large, "ping-pong": ping_pong,
                  "connection": connection, "value": value, "array": array,
                  "manager-call": manager_call, "manager-dict": manager_dict, "manager-start": manager_start,
                  "manager-tcp": manager_tcp}

        class Skip(Exception): pass

        class Session:
            def __init__(self, name):
                self.name = name
                self.pool = None

            def make(self): return PEERS[self.name][1]()

            def answer(self, line):
                verb, *words = line.split()
                if verb == "close":
                    if self.pool: self.pool.close()
                    self.pool = None
                    return "0"
                name, *sizes = words
                if (name in SHARED) != (self.name == SHARING): raise Skip("")
                if name in SHARED:
                    count, *rest = map(int, sizes)
                    seconds, is_right = SHARED[name](count if verb == "run" else max(16, count // 10), *rest)
                elif name == "start-both":
                    is_right, seconds = start_both(self.make)
                elif name == "start-first":
                    start = time.perf_counter()
                    is_right = start_first(self.make)
                    seconds = time.perf_counter() - start
                else:
                    if self.name in ("Pool forkserver", "Pool spawn"): raise Skip("")
                    self.pool = self.pool or self.make()
                    # Warming up takes the pool through the same steps, with a tenth of the work.
                    size = int(sizes[0]) if verb == "run" else max(256, int(sizes[0]) // 10)
                    work, check = WARM[name](self.pool, size)
                    start = time.perf_counter()
                    result = work()
                    seconds = time.perf_counter() - start
                    is_right = check(result)
                return "%.9f" % seconds if is_right else "wrong result"

        def list_peers():
            print(sys.version.split()[0])
            print(sys.executable)
            for name, (backend, _, module) in PEERS.items():
                try:
                    if module: __import__(module)
                    print("peer:%s:%s" % (backend, name))
                except ImportError:
                    print("absent:" + name)

        def main():
            if sys.argv[1] == "list": return list_peers()
            session = Session(sys.argv[1])
            # Workers may write to the standard output, which is not theirs to write answers to.
            answers = os.fdopen(os.dup(1), "w")
            os.dup2(2, 1)
            for line in sys.stdin:
                try:
                    answer = session.answer(line)
                except Exception as error:
                    text = " ".join(str(error).split())
                    answer = "skip " + (text if isinstance(error, Skip) else type(error).__name__ + ": " + text)
                print(answer, file=answers, flush=True)
            if session.pool: session.pool.close()

        if __name__ == "__main__":
            main()
        """#
}
