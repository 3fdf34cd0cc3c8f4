/* userns N: forks N times; each child asks for a user namespace, which the kernel gives to one thread alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int wanted = argc > 1 ? atoi(argv[1]) : 1, succeeded = 0, status;
    for (int i = 0; i < wanted; i++) {
        pid_t child = fork();
        if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
        if (waitpid(child, &status, 0) == child && status == 0) succeeded++;
        else fprintf(stderr, "%d: status %d\n", i, status);
    }
    printf("%d of %d\n", succeeded, wanted);
    return succeeded != wanted;
}
