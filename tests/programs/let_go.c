/* let_go: closes descriptor 3 first thing, and says so. */
#include <unistd.h>

int main(void) {
    char byte;
    close(3);
    write(1, "closed\n", 7);
    read(0, &byte, 1);
    return 0;
}
