/* forked: forks, says the child's number, and has the child echo. Itself it never ends: not for the child's sake either, for
 * which of the two is asked first is chance. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    char line[100];
    pid_t child = fork();
    if (child != 0) {
        printf("%d\n", (int)child);
        fclose(stdout);
        for (;;) pause();
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, 100, stdin)) fputs(line, stdout);
    return 0;
}
