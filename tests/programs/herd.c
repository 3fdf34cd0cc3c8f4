/* herd: many hosts at once. Says "anchor PID", starts them, and is silent from then on; each host says one byte when
 * it runs, and holds the output open until it ends.
 *
 *   herd COUNT floor     keeper -> anchor -> hosts, which have asked the kernel for SIGTERM at its death: no library
 *   herd COUNT thread    the same, and each host has a thread more, which sleeps and holds nothing
 *   herd COUNT child     keeper -> anchor -> hosts with the library
 *   herd COUNT stranger  keeper -> anchor
 *                               -> hosts with the library
 *
 * The library is that of HERD_PRELOAD. The keeper reaps whoever ends, without looking; when its input ends it kills the
 * whole process group. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sleeps(void *nothing) {
    for (;;) pause();
    return nothing != NULL;
}

static void host(int threads) {
    static char stack[4096] __attribute__((aligned(16)));
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if (threads && clone(sleeps, stack + sizeof stack, flags, NULL) < 0) exit(7);
    (void)!write(1, ".", 1);
    for (;;) pause();
}

/* Where pidfds have a file system of their own (Linux 6.9), the inode is the process's. */
static unsigned long mark(pid_t anchor) {
    struct statfs system;
    struct stat own;
    int handle = syscall(SYS_pidfd_open, anchor, 0);
    int known = handle >= 0 && !fstatfs(handle, &system) && system.f_type == 0x50494446 && !fstat(handle, &own);
    close(handle);
    return known ? own.st_ino : 0;
}

/* ANCHOR_ID, as a launcher sets it: else each host would pin it for itself. */
static void name(pid_t anchor) {
    char text[1024], path[64];
    struct stat space;
    snprintf(path, sizeof path, "/proc/%d/stat", anchor);
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length < 0 || stat("/proc/self/ns/pid", &space)) exit(3);
    text[length] = 0;
    char *field = strrchr(text, ')');
    for (int number = 2; number < 22; number++) field = strchr(field + 1, ' ');
    unsigned long long start = strtoull(field, NULL, 10);
    int end = snprintf(text, sizeof text, "%lu:%llu", (unsigned long)space.st_ino, start);
    if (mark(anchor)) snprintf(text + end, sizeof text - end, ":%lu", mark(anchor));
    setenv("ANCHOR_ID", text, 1);
    snprintf(text, sizeof text, "%d", anchor);
    setenv("ANCHOR_PID", text, 1);
    setenv("LD_PRELOAD", getenv("HERD_PRELOAD"), 1);
}

static void start(int count, int floor, char *host, char *program) {
    for (int i = 0; i < count; i++) {
        pid_t parent = getpid(), pid = fork();
        if (pid < 0) exit(4);
        if (pid) continue;
        /* As setpriv --pdeathsig does it. */
        if (floor && (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)) _exit(5);
        execl(program, program, host, NULL);
        _exit(6);
    }
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "host")) host(0);
    if (argc > 1 && !strcmp(argv[1], "threads")) host(1);
    if (argc < 3) return 2;
    int count = atoi(argv[1]), thread = !strcmp(argv[2], "thread"), stranger = !strcmp(argv[2], "stranger");
    int floor = thread || !strcmp(argv[2], "floor");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    pid_t anchor = fork();
    if (anchor < 0) return 4;
    if (anchor == 0) {
        signal(SIGCHLD, SIG_DFL);
        if (!stranger) {
            if (!floor) name(getpid());
            start(count, floor, thread ? "threads" : "host", argv[0]);
        }
        close(1);
        for (;;) pause();
    }
    fprintf(stderr, "anchor %d\n", anchor);
    if (stranger) {
        name(anchor);
        start(count, 0, "host", argv[0]);
    }
    close(1);
    /* Nobody holds the input but the test: its end is everybody's. The test has made this a process group. */
    while (read(0, &argc, sizeof argc) > 0) {}
    kill(0, SIGKILL);
    return 0;
}
