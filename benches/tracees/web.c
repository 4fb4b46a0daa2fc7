// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * web REQUESTS: a web server of two threads and four clients that ask it for REQUESTS pages of 8
 * KiB together, over loopback, ten to a connection.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include "tracee.h"

enum { PAGE = 8192, CLIENTS = 4, SERVERS = 2, KEPT = 10 };

static struct sockaddr_in address = {.sin_family = AF_INET};
static int listener;
static long share;

/* One request of a client: up to an empty line. Requests here are small and come one at a time. */
static int asked(int connection)
{
	char request[1024];
	ssize_t length = recv(connection, request, sizeof(request) - 1, 0);

	CHECK(length >= 0);
	return length > 0 && strstr((request[length] = 0, request), "\r\n\r\n");
}

static void *serve(void *unused)
{
	static const char header[] = "HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n";
	static const char page[PAGE];
	char answer[sizeof(header) - 1 + PAGE];

	memcpy(answer, header, sizeof(header) - 1);
	memcpy(answer + sizeof(header) - 1, page, PAGE);
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		CHECK(connection >= 0);
		while (asked(connection))
			CHECK(send(connection, answer, sizeof(answer), MSG_NOSIGNAL) ==
			      sizeof(answer));
		close(connection);
	}
	return unused;
}

static void *ask(void *unused)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: loopback\r\n\r\n";
	static const size_t whole =
		sizeof("HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n") - 1 + PAGE;
	char answer[PAGE];

	for (long i = 0; i < share; i += KEPT) {
		int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		CHECK(connection >= 0);
		CHECK(connect(connection, (struct sockaddr *)&address, sizeof(address)) == 0);
		for (int kept = 0; kept < KEPT; kept++) {
			CHECK(send(connection, request, sizeof(request) - 1, 0) ==
			      sizeof(request) - 1);
			for (size_t got = 0; got < whole;) {
				ssize_t more = recv(connection, answer, sizeof(answer), 0);

				CHECK(more > 0);
				got += (size_t)more;
			}
		}
		close(connection);
	}
	return unused;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	socklen_t length = sizeof(address);
	pthread_t servers[SERVERS], clients[CLIENTS];

	share = atol(argv[1]) / CLIENTS;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0);
	CHECK(listen(listener, 64) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	for (int i = 0; i < SERVERS; i++)
		CHECK(pthread_create(&servers[i], NULL, serve, NULL) == 0);
	for (int i = 0; i < CLIENTS; i++)
		CHECK(pthread_create(&clients[i], NULL, ask, NULL) == 0);
	for (int i = 0; i < CLIENTS; i++)
		CHECK(pthread_join(clients[i], NULL) == 0);
	return 0;
}
