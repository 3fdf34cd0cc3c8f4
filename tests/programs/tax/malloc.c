/* malloc TIMES SMALLEST LARGEST: one block of many is freed and another made, of sizes that change. Up to 1032 bytes
   glibc keeps them in a cache of the thread; above, it locks an arena once it knows of a thread. */
#include "report.h"

enum { BLOCKS = 64 }; /* few enough for the heap not to grow and shrink: brk(2) is not what is measured */

static void *blocks[BLOCKS];
static unsigned smallest, span;

static void churn(long times) {
    unsigned random = 1;
    for (long i = 0; i < times; i++) {
        random = random * 1664525 + 1013904223;
        void **block = &blocks[random >> 16 & (BLOCKS - 1)];
        free(*block);
        *block = malloc(smallest + (random >> 4) % span);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 1;
    smallest = atoi(argv[2]);
    span = atoi(argv[3]) - smallest + 1;
    report(CLOCK_PROCESS_CPUTIME_ID, churn, argv[1]);
    return 0;
}
