/* own_table N: changes its ids N times, while another thread opens, closes and looks at the descriptor table. Ends with 0 if
 * that thread has got the number it must get each time and has seen no descriptor but its own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int over;
static int foreign;

static void *look(void *unused) {
    while (!over) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd != 3) foreign++;
        close(fd);
    }
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    close_range(3, ~0u, 0);
    pthread_create(&thread, 0, look, 0);
    for (int i = 0; i < atoi(argv[argc - 1]); i++)
        if (seteuid(i % 2 ? 0 : 1000)) return 1;
    over = 1;
    pthread_join(thread, 0);
    printf("%d foreign descriptors\n", foreign);
    return foreign != 0;
}
