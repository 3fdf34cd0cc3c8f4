/* The library that one would write first, to compare with: a pthread that polls a pidfd, made anew after fork. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int anchor;

static void *watch(void *nothing) {
    struct pollfd entry = {.fd = anchor, .events = POLLIN};
    while (poll(&entry, 1, -1) != 1) continue;
    kill(getpid(), SIGTERM);
    return nothing;
}

static void start(void) {
    pthread_t thread;
    sigset_t all, before;
    /* Blocked in the thread, or it would take the host's signals: make waits for its SIGCHLD in vain then. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, watch, NULL) == 0) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

__attribute__((constructor)) static void load(void) {
    const char *pid = getenv("ANCHOR_PID");
    if (!pid) return;
    anchor = syscall(SYS_pidfd_open, atoi(pid), 0);
    if (anchor < 0) return;
    start();
    pthread_atfork(NULL, NULL, start);
}
