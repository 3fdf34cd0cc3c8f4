/* refused: a host whose guest is refused system calls. Before any constructor of a library it installs the filter that
   REFUSED holds, for calls made from within the library's code alone: what the host itself calls is untouched. Then it
   does what it is told, a letter a time, and answers each with "letter result pid death-signal". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long first, last;

static int find(struct dl_phdr_info *object, size_t size, void *nothing) {
    if (!strstr(object->dlpi_name, "/libanchor.so")) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        first = object->dlpi_addr + part->p_vaddr;
        last = first + part->p_memsz;
    }
    return 1;
}

/* What is asked of every call first: whether it comes from the library. The bytes of an address come low word first. */
#define WORD(field, high) (offsetof(struct seccomp_data, field) + 4 * (high))
#define FROM_LIBRARY 7

static int install(const char *text, unsigned flags) {
    static struct sock_filter filter[4096];
    unsigned short count = FROM_LIBRARY;
    struct sock_filter from_library[FROM_LIBRARY] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(instruction_pointer, 1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first >> 32, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(instruction_pointer, 0)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)first, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)last, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr, 0)),
    };
    memcpy(filter, from_library, sizeof from_library);
    char *next = (char *)text;
    while (*next && count < 4096) {
        struct sock_filter *line = &filter[count++];
        line->code = strtoul(next, &next, 10);
        line->jt = strtoul(next, &next, 10);
        line->jf = strtoul(next, &next, 10);
        line->k = strtoul(next, &next, 10);
        next += *next == ';';
    }
    struct sock_fprog program = {count, filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* A host that listens, and goes on all the same. */
static void asked(int number) { write(1, "T", 1); }

static void before_libraries(int argc, char **argv, char **environment) {
    signal(SIGTERM, asked);
    dl_iterate_phdr(find, 0);
    /* The filter compares halves of addresses: a library across a border of 4 GiB is loaded elsewhere by another try. */
    if (first >> 32 != last >> 32) execve("/proc/self/exe", argv, environment);
    for (; *environment; environment++)
        if (!strncmp(*environment, "REFUSED=", 8) && install(*environment + 8, 0)) _exit(99);
}
__attribute__((section(".preinit_array"), used)) static void (*hook)(int, char **, char **) = before_libraries;

/* Holds nothing that the host could be seen by. */
static void stay(void) {
    for (int fd = 0; fd < 3; fd++) close(fd);
    for (;;) pause();
}

/* The parent goes on as a host that nobody looks at.
 *
 * RACE: 1. fork  2. the child answers, and its anchor is killed  3. the parent, which has not run yet, is asked and says
 * so in the child's name. So the parent is deaf before 1. */
static int become_child(void) {
    struct sigaction listens;
    sigaction(SIGTERM, NULL, &listens);
    signal(SIGTERM, SIG_DFL);
    pid_t child = fork();
    if (child > 0) stay();
    sigaction(SIGTERM, &listens, NULL);
    return child;
}

static int act(char letter) {
    switch (letter) {
    case 'c': return close(2);
    case 'f': return become_child();
    case 'i': return setresuid(0, 0, 0);
    case 'u': return unshare(CLONE_NEWUSER);
    case 'n': return unshare(CLONE_NEWUTS);
    case 'm': return setns(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), 0);
    case 'o': return install(getenv("REFUSED_LATER"), 0);
    case 't': return install(getenv("REFUSED_LATER"), SECCOMP_FILTER_FLAG_TSYNC);
    default: return 0;
    }
}

int main(int argc, char **argv) {
    if (argc > 1 && fork()) stay();
    if (argc > 1) {
        char anchor[20];
        snprintf(anchor, sizeof anchor, "%d", getppid());
        setenv("ANCHOR_PID", anchor, 1);
        setenv("LD_PRELOAD", argv[1], 1);
        setenv("REFUSED", argv[2], 1);
        execl("/proc/self/exe", argv[0], (char *)0);
        _exit(98);
    }
    char letter = '+', line[80];
    do {
        int result = act(letter), signal = 0;
        syscall(SYS_prctl, PR_GET_PDEATHSIG, &signal);
        write(1, line, snprintf(line, sizeof line, "%c %d %d %d\n", letter, result, getpid(), signal));
    } while (read(0, &letter, 1) == 1);
    return 0;
}
