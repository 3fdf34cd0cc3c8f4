/* anchor SOCKET CPU: the process that dies. It calls the benchmark, is told what to start, forks it from its only thread
   and stays. The order is a length and strings that each end with a NUL: NAME=VALUE..., an empty one, ARGUMENT...; none
   at all where somebody else starts the host. */
#include "call.h"

int main(int argc, char **argv) {
    static char order[65536];
    char *arguments[256];
    uint32_t length, have = 0;
    int count = 0;
    if (argc != 3) return 2;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(argv[2]), &set);
    if (sched_setaffinity(0, sizeof set, &set)) return 4;
    int line = call(argv[1]);
    if (read(line, &length, sizeof length) != sizeof length || length > sizeof order) return 5;
    while (have < length) {
        ssize_t more = read(line, order + have, length - have);
        if (more <= 0) return 5;
        have += more;
    }
    char *at = order;
    for (; at < order + length && *at; at += strlen(at) + 1) putenv(at);
    for (at++; at < order + length && count < 255; at += strlen(at) + 1) arguments[count++] = at;
    arguments[count] = NULL;
    if (count) {
        pid_t pid = fork();
        if (pid < 0) return 6;
        if (pid == 0) {
            execvp(arguments[0], arguments);
            perror(arguments[0]);
            _exit(127);
        }
    }
    stay(line);
    return 0;
}
