/* calls: every wrapped function with good and bad arguments, each in a child of its own; prints result and errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME /* a C library from before Linux 5.6 */
#define CLONE_NEWTIME 0x80
#endif

static int namespace_of(const char *which) { return open(which, O_RDONLY); }

#define TRY(call)                                                           \
    do {                                                                    \
        fflush(stdout);                                                     \
        pid_t child = fork();                                               \
        if (child == 0) {                                                   \
            errno = 4711;                                                   \
            int result = call, code = errno;                                \
            uid_t r, e, s;                                                  \
            gid_t rg, eg, sg;                                               \
            getresuid(&r, &e, &s);                                          \
            getresgid(&rg, &eg, &sg);                                       \
            printf("%s = %d, errno %d, now %d %d %d  %d %d %d, %d groups\n", #call, result, code, (int)r, (int)e, \
                   (int)s, (int)rg, (int)eg, (int)sg, getgroups(0, 0));     \
            fflush(stdout);                                                 \
            _exit(0);                                                       \
        }                                                                   \
        int status;                                                         \
        waitpid(child, &status, 0);                                         \
        if (status) printf("%s: status %d\n", #call, status);               \
    } while (0)

int main(void) {
    gid_t groups[] = {10, 20, 30};
    TRY(setuid(0));
    TRY(setuid(1000));
    TRY(setuid(-1));
    TRY(seteuid(1000));
    TRY(seteuid(-1));
    TRY(setreuid(-1, 1000));
    TRY(setreuid(1000, -1));
    TRY(setresuid(1000, 1001, 1002));
    TRY(setresuid(-1, -1, -1));
    TRY(setgid(1000));
    TRY(setgid(-1));
    TRY(setegid(1000));
    TRY(setegid(-1));
    TRY(setregid(1000, 1001));
    TRY(setresgid(1000, 1001, 1002));
    TRY(setgroups(3, groups));
    TRY(setgroups(0, 0));
    TRY(setgroups(100000, groups));
    TRY(setgroups(3, (gid_t *)8));
    TRY(initgroups("nobody", 1234));
    TRY(unshare(0));
    TRY(unshare(CLONE_NEWUSER));
    TRY(unshare(CLONE_NEWNS));
    TRY(unshare(CLONE_NEWNET));
    TRY(unshare(CLONE_NEWPID));
    TRY(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET));
    TRY(unshare(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM));
    TRY(unshare(CLONE_THREAD));
    TRY(unshare(CLONE_VM));
    TRY(unshare(CLONE_SIGHAND));
    TRY(unshare(0x7fffffff));
    TRY(unshare(-1));
    TRY(setns(-1, 0));
    TRY(setns(0, 0));
    TRY(setns(namespace_of("/proc/self/ns/net"), 0));
    TRY(setns(namespace_of("/proc/self/ns/net"), CLONE_NEWNET));
    TRY(setns(namespace_of("/proc/self/ns/net"), CLONE_NEWUSER));
    TRY(setns(namespace_of("/proc/self/ns/mnt"), 0));
    TRY(setns(namespace_of("/proc/self/ns/user"), 0));
    TRY(setns(namespace_of("/proc/self/ns/user"), CLONE_NEWUSER));
    TRY(setns(namespace_of("/proc/self/ns/pid"), 0));
    TRY(setns(namespace_of("/proc/self/ns/time"), CLONE_NEWTIME));
    TRY((unshare(CLONE_NEWUSER), setns(namespace_of("/proc/1/ns/user"), 0)));
    TRY((unshare(CLONE_NEWPID), setgid(5), setuid(6)));
    return 0;
}
