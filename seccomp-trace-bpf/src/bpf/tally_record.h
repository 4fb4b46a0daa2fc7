/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tally's programs and user space exchange. */
#pragma once

enum tally_by {
	TALLY_ALL = 0,
	TALLY_PROCESS = 1,
	TALLY_THREAD = 2,
	TALLY_PHASE = 3,
};

struct tally_cell {
	u64 calls;
	u64 errors;
	u64 ns;
};

/* The calls of one slot and ABI: slot * ABIS + abi. */
struct tally_row {
	struct tally_cell nr[NR_MAX];
};

/* One call of one group: a process, a thread, a phase. */
struct tally_key {
	u32 row;
	s32 nr;
	u64 group;
};

/* What is the same for all targets, and what could not be told apart. */
struct tally_counters {
	u64 uncounted; /* calls that found no room anywhere */
	u64 blurred;   /* calls whose group found no room: counted without it */
};
