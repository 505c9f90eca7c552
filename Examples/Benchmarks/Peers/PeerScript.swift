/// The program that Python runs: the same work as here, on one of Python's pools.
///
/// It is a string and not a resource, so that the executable needs no files beside it. It has to
/// be written to a file, because the workers of spawned pools import it.
enum PeerScript {
    static let text = #"""
        import functools, multiprocessing, os, sys, tempfile, time
        from dataclasses import dataclass, replace
        from typing import List, Optional

        WORKERS = 2

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
            def close(self):
                self.pool.close()
                self.pool.join()

        class Executor:
            chunk = 1000
            def __init__(self, make): self.pool = make()
            def begin(self, f, x): return self.pool.submit(f, x).result
            def map(self, f, xs, chunk):
                if not (chunk or self.chunk): raise Skip("it sends items one by one and has no chunks")
                return list(self.pool.map(f, xs, chunksize=chunk or self.chunk))
            def close(self): self.pool.shutdown()

        class ThreadExecutor(Executor):
            chunk = None

        class Mpire(Standard):
            def map(self, f, xs, chunk): return self.pool.map(f, xs, chunk_size=chunk)
            def close(self): self.pool.stop_and_join()

        class Pebble(Standard):
            def begin(self, f, x): return self.pool.schedule(f, args=(x,)).result
            def map(self, f, xs, chunk): return list(self.pool.map(f, xs, chunksize=chunk or 1000).result())

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
                if name == "start-both":
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
