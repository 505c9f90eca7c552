#ifndef CALL_COUNTER_H
#define CALL_COUNTER_H

/// How many blocks of memory the calling thread has allocated so far.
unsigned long call_counter_allocations(void);

/// How many system calls this process has made so far, and with a shared counter all processes that share it.
///
/// Counted are the calls through the C library with which a program sends, receives, waits and wakes.
unsigned long call_counter_system_calls(void);

/// Makes a counter that the processes share which are started from now on.
///
/// Returns 0, or what errno would be.
int call_counter_share(void);

#endif
