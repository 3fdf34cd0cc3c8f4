/* newborn: a host that says when it has reached its main, as whom it knows its anchor, and that it lives; or becomes what
 * it is told to. Writes to descriptor 3, reads descriptor 4. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    const char *id = getenv("ANCHOR_ID");
    char order[32];
    (void)count;
    dprintf(3, "main %s\n", id ? id : "");
    for (int at = 0;;) {
        if (read(4, order + at, 1) != 1) pause();
        if (order[at] != '\n') {
            at++;
            continue;
        }
        order[at] = 0;
        at = 0;
        if (!strcmp(order, "fork")) { /* a child without exec goes on */
            if (fork() != 0)
                for (;;) pause();
        } else if (!strcmp(order, "leave")) { /* the same, and nobody waits for it */
            if (fork() != 0) _exit(0);
        } else if (!strncmp(order, "heir ", 5)) { /* the child gets this number, and is the only one that is heard */
            int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
            dprintf(file, "%d", atoi(order + 5) - 1);
            close(file);
            if (fork() != 0) {
                close(3);
                close(4);
                for (;;) pause();
            }
        } else if (!strcmp(order, "ids")) { /* the watcher is replaced */
            if (setresgid(-1, -1, -1)) return 2;
        } else if (!strcmp(order, "namespace")) { /* the watcher stands down while this is done */
            if (unshare(CLONE_NEWUSER)) return 3;
        } else if (!strcmp(order, "exec")) {
            execv("/proc/self/exe", arguments);
        }
        dprintf(3, "here\n");
    }
}
