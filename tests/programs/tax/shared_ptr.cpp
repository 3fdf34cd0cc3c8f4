/* shared_ptr TIMES: libstdc++ counts owners without atomics while it knows of one thread only. */
#include "report.h"
#include <memory>

static std::shared_ptr<int> owner = std::make_shared<int>(1);

static void copy(long times) {
    for (long i = 0; i < times; i++) {
        std::shared_ptr<int> other = owner;
        /* Keeps the compiler from leaving the copy out. */
        asm volatile("" : : "r"(other.get()) : "memory");
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 1;
    report(CLOCK_PROCESS_CPUTIME_ID, copy, argv[1]);
    return 0;
}
