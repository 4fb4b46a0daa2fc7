// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * sockets FAMILY...: opens a socket of each address family and prints the family and the errno, 0
 * where it opened. The other calls are the same whether it opens or not.
 */
#include <sys/socket.h>

#include "tracee.h"

int main(int argc, char **argv)
{
	int at;

	for (at = 1; at < argc; at++) {
		int family = atoi(argv[at]);
		int type = family == AF_ALG ? SOCK_SEQPACKET : SOCK_DGRAM;
		int fd = socket(family, type, 0);

		printf("%d %d\n", family, fd < 0 ? errno : 0);
		close(fd);
	}
	return 0;
}
