// SPDX-License-Identifier: Apache-2.0 OR MIT
/* loaded: prints how many BPF programs are loaded in the kernel whose names begin with "on_". */
#include <linux/bpf.h>
#include <stdint.h>

#include "tracee.h"

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(void)
{
	uint32_t id = 0;
	int count = 0;

	for (;;) {
		union bpf_attr next = {.start_id = id};
		struct bpf_prog_info info = {0};

		if (bpf(BPF_PROG_GET_NEXT_ID, &next) != 0)
			break;
		id = next.next_id;

		union bpf_attr by_id = {.prog_id = id};
		int fd = (int)bpf(BPF_PROG_GET_FD_BY_ID, &by_id);

		/* It was unloaded just now. */
		if (fd < 0)
			continue;
		union bpf_attr about = {.info = {.bpf_fd = (uint32_t)fd,
						 .info_len = sizeof(info),
						 .info = (uintptr_t)&info}};

		CHECK(bpf(BPF_OBJ_GET_INFO_BY_FD, &about) == 0);
		count += strncmp(info.name, "on_", 3) == 0;
		close(fd);
	}
	CHECK(errno == ENOENT);
	printf("%d\n", count);
	return 0;
}
