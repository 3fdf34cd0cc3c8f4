/* host SOCKET: the process that is to end. It listens on a port of its own, says which, and sleeps. */
#include "call.h"
#include <arpa/inet.h>

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    if (argc != 2) return 2;
    int port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (port < 0 || bind(port, (struct sockaddr *)&address, length) || listen(port, 4096)) return 4;
    if (getsockname(port, (struct sockaddr *)&address, &length)) return 4;
    int line = call(argv[1]);
    if (dprintf(line, "%d\n", ntohs(address.sin_port)) < 0) return 5;
    stay(line);
    return 0;
}
