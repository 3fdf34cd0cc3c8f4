/* echo: gives every line back. */
#include <stdio.h>

int main(void) {
    char line[100];
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) fputs(line, stdout);
    return 0;
}
