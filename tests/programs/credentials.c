/* credentials N: changes its ids N times as root, and after each looks at the ids of every task of its own, the
 * watcher's included. Prints how often one differed, and how many tasks there were at least and at most. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The lines Uid, Gid and Groups of a task, in this order. */
static void ids(const char *task, char *out, char *effective) {
    char path[300], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[length > 0 ? length : 0] = 0;
    *out = 0;
    for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(0, "\n", &save)) {
        if (!strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4) || !strncmp(line, "Groups:", 7)) strcat(out, line);
        if (!strncmp(line, "CapEff:", 7)) strcpy(effective, line + 8);
    }
}

static int change(int i) {
    uid_t user = 1000 + i % 7;
    gid_t groups[] = {2000 + i % 5, 3000};
    switch (i % 11) {
    case 0: return seteuid(user);
    case 1: return seteuid(0);
    case 2: return setresuid(-1, user, 0);
    case 3: return setreuid(-1, 0);
    case 4: return setresgid(-1, user, -1);
    case 5: return setegid(0);
    case 6: return setregid(-1, user);
    case 7: return setgid(i % 3);
    case 8: return setgroups(2, groups);
    case 9: return setuid(0);
    default: return initgroups("nobody", 100 + i % 3);
    }
}

int main(int argc, char **argv) {
    int wanted = argc > 1 ? atoi(argv[1]) : 1, failed = 0, differed = 0, powerful = 0, least = 99, most = 0;
    char own[1024], other[1024], effective[64];
    for (int i = 0; i < wanted; i++) {
        if (change(i)) failed++;
        char number[20];
        snprintf(number, sizeof number, "%d", getpid());
        ids(number, own, effective);
        int tasks = 0;
        DIR *folder = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (entry->d_name[0] == '.') continue;
            tasks++;
            if (!strcmp(entry->d_name, number)) continue;
            ids(entry->d_name, other, effective);
            if (strcmp(own, other)) {
                if (!differed++) fprintf(stderr, "%d: %s\n  but %s\n", i, own, other);
            }
            /* Born with what its maker has, it gives that up first of all: so it is looked at again. */
            for (time_t since = time(NULL); strspn(effective, "0") != strlen(effective);) {
                if (time(NULL) - since > 60) {
                    powerful++;
                    break;
                }
                ids(entry->d_name, other, effective);
            }
        }
        closedir(folder);
        if (tasks < least) least = tasks;
        if (tasks > most) most = tasks;
    }
    printf("%d changes, %d failed, %d tasks with old ids, %d with capabilities, %d to %d tasks\n", wanted, failed,
           differed, powerful, least, most);
    return 0;
}
