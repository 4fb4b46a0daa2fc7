// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * caller NAME...: makes each named call of harmless.h once. Ends with 2 for a name that is not
 * there.
 */
#include "harmless.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t at = 0;

		while (at < HARMLESS_COUNT && strcmp(harmless[at].name, argv[i]) != 0)
			at++;
		if (at == HARMLESS_COUNT) {
			fprintf(stderr, "caller: %s is not in harmless.h\n", argv[i]);
			return 2;
		}
		call_harmless(&harmless[at]);
	}
	return 0;
}
