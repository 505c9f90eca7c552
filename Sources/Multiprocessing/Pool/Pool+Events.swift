extension Pool {
    /// What happens in the pool from now on: workers that start, crash and end, items that wait, run and end.
    ///
    /// Each reading of this property gives a sequence of its own, which begins with the next event and ends when the
    /// pool has ended. Reading it late or slowly never slows the pool: see ``PoolEvents``. With no reader, no event is
    /// made.
    ///
    /// ```swift
    /// let log = Task { [events = pool.events] in
    ///     for await event in events { print(event) }
    /// }
    /// ```
    public var events: PoolEvents { PoolEvents(core.events) }

    /// What the pool has done since it was made, and what it does at this moment.
    ///
    /// It takes a few microseconds, and the pool's lock for that time.
    public var statistics: PoolStatistics { core.statistics }
}
