/* bits32: a 32-bit program and its loader in one, without any library, which few 64-bit machines have for it. As the
 * loader of another program it is what runs, and prints the environment that the program was given. */
__asm__(".globl _start\n_start: push %esp\n call show\n");

static long enter(long number, long a, const void *b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

/* What the kernel has put on the stack: the number of arguments, these, a null, the environment, a null. */
__attribute__((used)) static void show(char **stack) {
    for (char **entry = stack + *(long *)stack + 2; *entry; entry++) {
        long length = 0;
        while ((*entry)[length]) length++;
        enter(4, 1, *entry, length);
        enter(4, 1, "\n", 1);
    }
    enter(1, 0, 0, 0);
}
