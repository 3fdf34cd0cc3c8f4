/* forked: forks, says the child's number, and has the child echo; it waits for it. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char line[100];
    pid_t child = fork();
    if (child != 0) {
        printf("%d\n", (int)child);
        fclose(stdout);
        while (waitpid(child, 0, 0) == -1) {}
        return 0;
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, 100, stdin)) fputs(line, stdout);
    return 0;
}
