/* What the programs of the benchmark share: clocks, and their last line, "THREADS... NANOSECONDS". */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static inline long nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

/* How many threads this process has. The link count costs no descriptor and no malloc, which a forked child of a
   process with threads may not use. */
static inline int threads(void) {
    struct stat folder;
    return stat("/proc/self/task", &folder) == 0 ? (int)folder.st_nlink - 2 : -1;
}

/* Runs `body(times)` after a warm-up and says what it took. */
static inline void report(clockid_t clock, void (*body)(long times), const char *times) {
    long count = atol(times);
    body(count / 20 + 1);
    long start = nanoseconds(clock);
    body(count);
    printf("%d %ld\n", threads(), nanoseconds(clock) - start);
}
