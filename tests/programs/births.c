/* births: makes anchors and hosts of theirs, and ends them, as it is told: a line in, a line out.
 *
 *   anchor                 a new anchor; says its number, its start and its pidfd's inode; `nobodys-anchor`: of another
 *                          user
 *   tick                   waits until the clock has ticked on since the anchor's start
 *   host TREE PAUSE DEATH SET... -- PROGRAM ARG...     makes a host, see `make`; SET is `NAME=value`, `quiet`, by
 *                          what it knows its anchor (`held`: by a pipe too; `only`: by that alone), or how it is to
 *                          be less than we are, see `become_host`
 *   kill, dead, reap       kills the anchor; waits until it is dead; gives its number back
 *   let-go                 the anchor hangs up, and lives
 *   stranger HOW           another process gets the anchor's number, see `stranger`: "ok", or "taken"
 *   start                  the start of whoever has the number now
 *   leave                  the stranger ends
 *   line, end              what the host says; whether it ends, with all of its own: "end", else "lives"
 *   gone                   whether it has by now
 *   tell TEXT              sends the host a line
 *   wait NANOSECONDS       does nothing for so long
 *   churn COUNT            so many processes come and go, for their numbers
 *   numbers LIMIT          from here on there are no numbers from LIMIT on
 *   clear                  kills everybody else
 *
 * It is PID 1 of a PID namespace: all end with it, orphans come to it, and kill(-1) reaches everybody but itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 64, CEILING = 60000 };

static pid_t anchor, stranger_pid;
static unsigned long long start;                       /* the anchor's, in ticks */
static int told[2] = {-1, -1}, said[2] = {-1, -1};     /* what the host reads, what it writes */
static int ordered[2] = {-1, -1}, null;                /* what the anchor reads */
static int held[2] = {-1, -1};                         /* the host's end, and the anchor's */
static char *words[WORDS];

static void fail(const char *what) {
    printf("births: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void spin(uint64_t nanoseconds) {
    for (uint64_t from = now(CLOCK_MONOTONIC); now(CLOCK_MONOTONIC) - from < nanoseconds;) sched_yield();
}

static void shut(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void sleep_for_ever(void) {
    shut(&said[1]);
    for (;;) pause();
}

/* As on Linux before 5.3. */
static void without_pidfd(void) {
    struct sock_filter code[] = {{0x20, 0, 0, 0},
                                 {0x15, 0, 1, SYS_pidfd_open},
                                 {0x06, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
                                 {0x06, 0, 0, SECCOMP_RET_ALLOW}};
    struct sock_fprog program = {4, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(3);
}

static void become_host(void) {
    char *variables[WORDS + 3], pid[32];
    int at = 4, count = 0, by_number = 1;
    for (; words[at] && strcmp(words[at], "--"); at++) {
        if (!strcmp(words[at], "without-pidfd")) without_pidfd();
        else if (!strcmp(words[at], "quiet")) dup2(null, 2);
        else if (!strcmp(words[at], "held") && dup2(held[0], 5) == 5) variables[count++] = "ANCHOR_FD=5";
        else if (!strcmp(words[at], "only")) by_number = 0;
        else if (!strcmp(words[at], "deaf")) signal(SIGTERM, SIG_IGN);
        else if (!strcmp(words[at], "powerless")) prctl(PR_SET_SECUREBITS, SECBIT_NOROOT); /* root without capabilities */
        else variables[count++] = words[at];
    }
    sprintf(pid, "ANCHOR_PID=%d", (int)anchor);
    if (by_number) variables[count++] = pid;
    variables[count++] = "PATH=/usr/local/bin:/usr/bin:/bin";
    variables[count] = NULL;
    if (!words[at]) _exit(4);
    dup2(null, 0);
    dup2(null, 1);
    dup2(said[1], 3);
    dup2(told[0], 4);
    execvpe(words[at + 1], words + at + 1, variables);
    _exit(5);
}

/* A child that becomes the host. Whoever makes it no longer holds what the host writes to. */
static void *born(void *pause_before_exec) {
    if (fork() == 0) {
        shut(&held[1]);
        spin(*(uint64_t *)pause_before_exec);
        become_host();
    }
    shut(&said[1]);
    return NULL;
}

/* TREE: the host is a child (`direct`, `sibling` when we are the maker), one of a thread that ends (`thread`), one of a
 * child that stays (`wrapped`) or goes (`orphan`). PAUSE: nanoseconds between its fork and its exec, or before its fork
 * where a child makes it. DEATH: so many nanoseconds after the order the maker ends itself: `k` by SIGKILL, `x` by
 * _exit; `-`: not. */
static void make(char *line) {
    uint64_t from = now(CLOCK_MONOTONIC), none = 0;
    int count = 0;
    for (char *word = strtok(line, " \n"); word && count < WORDS - 1; word = strtok(NULL, " \n")) words[count++] = word;
    words[count] = NULL;
    uint64_t before = strtoull(words[2], NULL, 10), after = strtoull(words[3] + 1, NULL, 10);
    if (!strcmp(words[1], "thread")) {
        pthread_t thread;
        pthread_create(&thread, NULL, born, &before);
        pthread_join(thread, NULL);
    } else if (!strcmp(words[1], "wrapped") || !strcmp(words[1], "orphan")) {
        if (fork() == 0) {
            shut(&held[1]);
            spin(before);
            born(&none);
            if (words[1][0] == 'o') _exit(0);
            sleep_for_ever();
        }
        shut(&said[1]);
    } else {
        born(&before);
    }
    if (words[3][0] == '-') return;
    while (now(CLOCK_MONOTONIC) - from < after) sched_yield();
    if (words[3][0] == 'x') _exit(0);
    kill(getpid(), SIGKILL);
}

static void become_anchor(void) {
    char line[4096];
    anchor = getpid();
    shut(&ordered[1]);
    FILE *orders = fdopen(ordered[0], "r");
    while (fgets(line, sizeof line, orders))
        if (!strcmp(line, "let-go\n")) shut(&held[1]);
        else make(line);
    sleep_for_ever();
}

/* The start of whoever has the anchor's number, proc_pid_stat(5), field 22. */
static unsigned long long start_now(void) {
    char path[64], stat[1024];
    sprintf(path, "/proc/%d/stat", (int)anchor);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(file, stat, sizeof stat - 1);
    close(file);
    if (length <= 0) fail(path);
    stat[length] = 0;
    char *field = strrchr(stat, ')');
    for (int at = 2; at < 22; at++) field = strchr(field + 1, ' ');
    return strtoull(field, NULL, 10);
}

/* The inode of the anchor's pidfd, 0 where the kernel has no pidfds. */
static unsigned long long mark_now(void) {
    struct stat handle = {0};
    int file = syscall(SYS_pidfd_open, anchor, 0);
    if (file >= 0 && (fstat(file, &handle) || close(file))) fail("pidfd");
    return handle.st_ino;
}

static void new_anchor(uid_t user) {
    if (pipe2(told, O_CLOEXEC) || pipe2(said, O_CLOEXEC) || pipe2(ordered, O_CLOEXEC) || pipe2(held, O_CLOEXEC))
        fail("pipe2");
    if (setresuid(user, user, 0)) fail("setresuid");
    anchor = fork();
    if (anchor < 0) fail("fork");
    if (anchor == 0) become_anchor();
    if (setresuid(0, 0, 0)) fail("setresuid");
    shut(&ordered[0]), shut(&held[1]);
    start = start_now();
    printf("%d %llu %llu\n", (int)anchor, start, mark_now());
}

static void wait_for_tick(void) {
    uint64_t tick = 1000000000 / sysconf(_SC_CLK_TCK), next = (start + 1) * tick;
    for (uint64_t time; (time = now(CLOCK_BOOTTIME)) < next;) {
        struct timespec rest = {0, next - time};
        nanosleep(&rest, NULL);
    }
}

#include "strangers.h"

/* Reads what the host says: a line, or all until the end. */
static const char *hear(char *line, size_t size, int all) {
    size_t length = 0;
    for (;;) {
        struct pollfd entry = {said[0], POLLIN, 0};
        if (poll(&entry, 1, CEILING) == 0) return "lives";
        char byte;
        if (read(said[0], &byte, 1) != 1) return "end";
        line[length] = 0;
        if (byte == '\n' && !all) return line;
        if (length < size - 1 && !all) line[length++] = byte;
    }
}

/* The anchor hangs up. It has, when this is done. */
static void let_go(void) {
    struct pollfd entry = {held[0], 0, 0};
    dprintf(ordered[1], "let-go\n");
    if (poll(&entry, 1, CEILING) != 1) fail("let-go");
}

static void clear(void) {
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {}
    shut(&told[0]), shut(&told[1]), shut(&said[0]), shut(&said[1]), shut(&ordered[0]), shut(&ordered[1]);
    shut(&held[0]), shut(&held[1]);
    anchor = stranger_pid = 0;
}

static void end(pid_t pid) {
    siginfo_t info;
    if (pid <= 0) fail("nobody to end");
    kill(pid, SIGKILL);
    while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && errno == EINTR) {}
}

static void too_long(int signal) {
    (void)signal;
    _exit(9);
}

int main(void) {
    char line[4096], heard[256];
    /* A name as nasty as can be: everybody here has it, in the second field of /proc/PID/stat. */
    prctl(PR_SET_NAME, "a) Z 1 (b) R 1");
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* The host's two numbers are nothing else's. */
    while (fcntl(null, F_DUPFD_CLOEXEC, 3) < 8) {}
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, too_long);
    while (fgets(line, sizeof line, stdin)) {
        siginfo_t info;
        const char *answer = "ok";
        alarm(2 * CEILING / 1000);
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "host ", 5)) {
            if (!strncmp(line, "host sibling", 12)) make(line);
            else dprintf(ordered[1], "%s\n", line);
            shut(&said[1]), shut(&told[0]);
        } else if (!strcmp(line, "anchor") || !strcmp(line, "nobodys-anchor")) {
            new_anchor(line[0] == 'n' ? 65534 : 0);
            alarm(0);
            continue;
        } else if (!strcmp(line, "tick")) wait_for_tick();
        else if (!strncmp(line, "wait ", 5)) spin(strtoull(line + 5, NULL, 10));
        else if (!strncmp(line, "churn ", 6)) churn(atoi(line + 6));
        else if (!strncmp(line, "numbers ", 8)) limit_numbers(line + 8);
        else if (!strcmp(line, "kill")) end(anchor);
        else if (!strcmp(line, "let-go")) let_go();
        else if (!strcmp(line, "dead")) waitid(P_PID, anchor, &info, WEXITED | WNOWAIT);
        else if (!strcmp(line, "reap")) waitpid(anchor, NULL, 0);
        else if (!strncmp(line, "stranger ", 9)) answer = stranger(line + 9);
        else if (!strcmp(line, "start")) snprintf(heard, sizeof heard, "%llu", start_now()), answer = heard;
        else if (!strcmp(line, "leave")) end(stranger_pid), waitpid(stranger_pid, NULL, 0);
        else if (!strcmp(line, "line")) answer = hear(heard, sizeof heard, 0);
        else if (!strcmp(line, "end")) answer = hear(heard, sizeof heard, 1);
        else if (!strcmp(line, "gone")) answer = poll(&(struct pollfd){said[0], 0, 0}, 1, 0) == 1 ? "end" : "lives";
        else if (!strncmp(line, "tell ", 5)) dprintf(told[1], "%s\n", line + 5);
        else if (!strcmp(line, "clear")) clear();
        else fail(line);
        alarm(0);
        puts(answer);
    }
    return 0;
}
