/* storm RATE COUNT: forks COUNT children, RATE a second, each tenth of which executes true(1), and waits for each. Says
 * "done" when every one has ended well, and goes on for ever without a word. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long pause = 1000000000L / atol(argv[1]), count = atol(argv[2]);
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    puts("ready");
    fflush(stdout);
    for (long number = 1;; number++) {
        pid_t pid = fork();
        if (pid < 0) return 4;
        if (pid == 0) {
            if (number % 10 == 0) execlp("true", "true", NULL);
            _exit(0);
        }
        int status;
        if (waitpid(pid, &status, 0) != pid || status != 0) return 5;
        if (number == count) {
            puts("done");
            fflush(stdout);
        }
        next.tv_nsec += pause;
        if (next.tv_nsec >= 1000000000L) {
            next.tv_nsec -= 1000000000L;
            next.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}
