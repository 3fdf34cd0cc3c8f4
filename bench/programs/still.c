/* still: a dynamic program that does nothing until its input ends, so that whatever is loaded into it comes to rest. */
#include <unistd.h>

int main(void) {
    char byte;
    while (read(0, &byte, 1) > 0) continue;
    return 0;
}
