/* counted: gives every line back. Its own arguments are first left as glibc's loader left those that were its own, when
   it was started as a program, before 2.36: the number of the others stands in the place of the last. */
#include <stdio.h>

static void before_libraries(int argc, char **argv, char **environment) { argv[1] = (char *)1L; }
__attribute__((section(".preinit_array"), used)) static void (*hook)(int, char **, char **) = before_libraries;

int main(void) {
    char line[100];
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) fputs(line, stdout);
    return 0;
}
