/* tiny: the smallest dynamic program. With an argument it exits with the number of its threads. */
#include "report.h"

int main(int argc, char **argv) {
    (void)argv;
    return argc > 1 ? threads() : 0;
}
