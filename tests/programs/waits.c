/* waits: what an anchored program can be like. Says "ready", then echoes what it is sent and never ends by itself; each
 * argument is one more thing that it does first. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void asked(int signal) {
    (void)signal;
    (void)!write(1, "asked\n", 6);
}

/* A child that pauses, and ends with this process. */
static pid_t child(void) {
    pid_t pid = fork();
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
}

static void *echo(void *unused) {
    char line[256];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        fputs(line, stdout);
        fflush(stdout);
    }
    for (;;) pause();
    return unused;
}

static void *pauses(void *unused) {
    for (;;) pause();
    return unused;
}

/* Goes on until a child has exactly this number. Where numbers do not come round soon, the kernel is told the last. */
static void until(pid_t wanted, int told) {
    for (int tries = 0; tries < 200000; tries++) {
        if (told) {
            int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
            dprintf(file, "%d", wanted - 1);
            close(file);
        }
        pid_t pid = child();
        if (pid == wanted) return;
        if (pid < 0) exit(3);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    exit(4);
}

int main(int count, char **arguments) {
    pthread_t thread;
    for (int at = 1; at < count; at++) {
        const char *what = arguments[at];
        if (!strcmp(what, "handles")) {
            struct sigaction action = {.sa_handler = asked, .sa_flags = SA_RESTART};
            sigaction(SIGTERM, &action, NULL);
        } else if (!strcmp(what, "blocks")) {
            sigset_t term;
            sigemptyset(&term);
            sigaddset(&term, SIGTERM);
            sigprocmask(SIG_BLOCK, &term, NULL);
        } else if (!strcmp(what, "crowd")) {
            for (int left = atoi(arguments[++at]); left > 0; left--)
                if (child() < 0) return 3;
        } else if (!strcmp(what, "until") || !strcmp(what, "told")) {
            until(atoi(arguments[++at]), *what == 't');
        } else if (!strcmp(what, "title")) {
            for (char **entry = environ; *entry; entry++) memset(*entry, 'x', strlen(*entry));
        } else if (!strcmp(what, "named")) {
            pthread_create(&thread, NULL, pauses, NULL);
            pthread_setname_np(thread, "anchor");
        } else if (!strcmp(what, "leaves")) {
            pthread_create(&thread, NULL, echo, NULL);
            pthread_exit(NULL);
        }
    }
    echo(NULL);
}
