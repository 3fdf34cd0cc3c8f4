/* What anchor and host share: the line to the benchmark. Who is there is known by the socket's credentials, so that the
   number is right from inside of a PID namespace too; and its end is the benchmark's, after which nobody stays. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int call(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) exit(3);
    strcpy(address.sun_path, path);
    int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (line < 0 || connect(line, (struct sockaddr *)&address, sizeof address)) exit(3);
    return line;
}

static void stay(int line) {
    char byte;
    while (read(line, &byte, 1) > 0) continue;
}
