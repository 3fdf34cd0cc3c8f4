/* What the tests of supervision run. The first argument says how it behaves; it says "ready" when it does. It is
 * linked statically where the library must not reach it. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, int number)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s %d\n", what, number);
	write(1, line, length);
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

static void told(int number)
{
	say("signal", number);
}

static void handle_all(void)
{
	struct sigaction action = { .sa_handler = told };
	sigfillset(&action.sa_mask);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (number != SIGCHLD)
			sigaction(number, &action, NULL);
}

/* One process after the other that has lost its parent before it ends. Says how many at each thousand: all of them may
 * take longer than anybody waits for a line. */
static void leave_orphans(int many)
{
	for (int i = 0; i < many; i++) {
		if (i > 0 && i % 1000 == 0)
			say("orphans", i);
		pid_t pid = fork();
		if (pid == 0) {
			if (fork() == 0)
				_exit(0);
			_exit(0);
		}
		if (pid < 0) {
			say("fork", i);
			exit(1);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(int count, char **words)
{
	const char *how = count > 1 ? words[1] : "hold";
	if (!strcmp(how, "ignore")) {
		signal(SIGTERM, SIG_IGN);
	} else if (!strcmp(how, "signals")) {
		handle_all();
	} else if (!strcmp(how, "stopped")) {
		say("ready", getpid());
		raise(SIGSTOP);
		wait_forever();
	} else if (!strcmp(how, "group")) {
		handle_all();
		kill(0, SIGTERM);
	} else if (!strcmp(how, "become root")) {
		if (setuid(0) != 0)
			return 1;
	} else if (!strcmp(how, "orphans")) {
		leave_orphans(atoi(words[2]));
	} else if (!strcmp(how, "daemon") || !strcmp(how, "leaves")) {
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				while (getppid() == getpgrp())
					;
				say("ready", getpid());
				wait_forever();
			}
			_exit(0);
		}
		wait(NULL);
		if (!strcmp(how, "leaves"))
			return 5;
		wait_forever();
	}
	say("ready", !strcmp(how, "user") ? (int)geteuid() : getpid());
	wait_forever();
}
