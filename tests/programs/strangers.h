/* The part of births.c that gives numbers away. */

/* A thread that stays if it has got the wanted number. */
static void *one_thread(void *wanted) {
    if (gettid() == *(pid_t *)wanted) sleep_for_ever();
    return NULL;
}

/* The stranger where a thread of its gets the number: it makes threads until one has. */
static void become_threaded(pid_t wanted, int ready) {
    shut(&said[1]);
    char path[64], number[16];
    sprintf(path, "/proc/self/task/%d", (int)wanted);
    int length = sprintf(number, "%d", (int)wanted - 1);
    for (int tries = 0; tries < 1000 && access(path, F_OK); tries++) {
        int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
        if (write(file, number, length) < 0) _exit(6);
        close(file);
        pthread_t thread;
        if (pthread_create(&thread, NULL, one_thread, &wanted)) _exit(7);
        if (access(path, F_OK)) pthread_join(thread, NULL);
    }
    if (write(ready, "!", 1) != 1) _exit(8);
    sleep_for_ever();
}

/* HOW: `told`, the kernel is told which number to give; `round`, processes come and go until it comes round again;
 * `thread`, as told, to a thread of the stranger's. */
static const char *stranger(const char *how) {
    pid_t wanted = anchor;
    if (how[0] == 't' && how[1] == 'o') {
        struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
        stranger_pid = syscall(SYS_clone3, &args, sizeof args);
        if (stranger_pid == 0) sleep_for_ever();
        if (stranger_pid < 0 && errno != EEXIST) fail("clone3");
        return stranger_pid == wanted ? "ok" : "taken";
    }
    if (how[0] == 't') {
        int ready[2];
        char said;
        if (pipe2(ready, O_CLOEXEC)) fail("pipe2");
        stranger_pid = fork();
        if (stranger_pid == 0) become_threaded(wanted, ready[1]);
        close(ready[1]);
        int known = read(ready[0], &said, 1) == 1 && kill(wanted, 0) == 0;
        close(ready[0]);
        return known ? "ok" : "taken";
    }
    for (int tries = 0; tries < 100000; tries++) {
        stranger_pid = fork();
        if (stranger_pid < 0) fail("fork");
        if (stranger_pid == 0 && getpid() != wanted) _exit(0);
        if (stranger_pid == 0) sleep_for_ever();
        if (stranger_pid == wanted) return "ok";
        waitpid(stranger_pid, NULL, 0);
        /* A thread of the host's may have it. */
        if (tries % 100 == 99 && kill(wanted, 0) == 0) break;
    }
    stranger_pid = 0;
    return "taken";
}

static void churn(int count) {
    for (; count > 0; count--) {
        pid_t pid = fork();
        if (pid < 0) fail("fork");
        if (pid == 0) _exit(0);
        waitpid(pid, NULL, 0);
    }
}

static void limit_numbers(const char *limit) {
    int file = open("/proc/sys/kernel/pid_max", O_WRONLY);
    if (write(file, limit, strlen(limit)) < 0) fail("pid_max");
    close(file);
}
