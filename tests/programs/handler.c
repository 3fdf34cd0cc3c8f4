/* A host whose SIGTERM handler changes its ids at once. Says "ready"; asked to end, it goes on for a while and then
 * says how often it was asked. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void change(int signal) {
    asked += signal == SIGTERM;
    (void)!seteuid(1000);
}

int main(void) {
    struct timespec pause = {0, 20 * 1000 * 1000};
    alarm(120); /* whatever becomes of the test */
    signal(SIGTERM, change);
    puts("ready");
    fflush(stdout);
    while (!asked) sleep(1);
    while (nanosleep(&pause, &pause)) {}
    printf("asked %d\n", (int)asked);
    fflush(stdout);
    _exit(7);
}
