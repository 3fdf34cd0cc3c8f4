/* flip THREADS: threads that change the effective user id without a rest. Says "ready"; asked to end with SIGTERM, it
 * goes on for a while and then says how often it was asked. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static volatile int over;

static void count(int signal) { asked += signal == SIGTERM; }

static void *flip(void *id) {
    /* Refused where another thread has just become somebody else; what counts is that it is called. */
    for (int i = 0; !over; i++) (void)!seteuid(i % 2 ? 0 : (uid_t)(long)id);
    return 0;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 0;
    pthread_t thread;
    signal(SIGTERM, count);
    for (long i = 0; i < threads; i++) pthread_create(&thread, 0, flip, (void *)(1000 + i));
    puts("ready");
    fflush(stdout);
    time_t since = 0;
    /* Where five hundred changes take long, fifty do. */
    for (int i = 0, after = 0; after < 50 || (after < 500 && time(NULL) - since < 3); i++) {
        (void)!seteuid(i % 2 ? 0 : 999);
        if (!asked) continue;
        if (!after++) since = time(NULL);
    }
    over = 1;
    printf("asked %d\n", (int)asked);
    fflush(stdout);
    _exit(7);
}
