/* closes: closes every descriptor but the first three, again and again, and echoes. What it opens must be its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    char line[100], back[100];
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, 100, stdin)) {
        for (int fd = 3; fd < 1024; fd++) close(fd);
        int ends[2];
        if (pipe(ends) || write(ends[1], line, strlen(line)) < 0) return 1;
        long length = read(ends[0], back, sizeof back - 1);
        if (length < 0) return 2;
        back[length] = 0;
        fputs(back, stdout);
    }
    return 0;
}
