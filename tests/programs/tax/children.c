/* children TIMES [PROGRAM]: children that end at once, or become PROGRAM; each is waited for. One more child then
   counts its own threads. */
#include "report.h"
#include <sys/wait.h>
#include <unistd.h>

static char *program;

static int child(char *argument) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (!program) _exit(argument ? threads() : 0);
        execv(program, (char *[]){program, argument, NULL});
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) exit(1);
    return WEXITSTATUS(status);
}

static void make(long times) {
    for (long i = 0; i < times; i++)
        if (child(NULL) != 0) exit(1);
}

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    program = argv[2];
    printf("%d ", child("count"));
    fflush(stdout);
    report(CLOCK_MONOTONIC, make, argv[1]);
    return 0;
}
