/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the program that sees denials and user space exchange; see record.h. */
#pragma once
#include "record.h"

/* What became of a call. */
enum answer {
	ANSWER_RESULT = 0,   /* not executed: the caller got this result all the same */
	ANSWER_SIGNAL = 1,   /* not executed: the thread got SIGSYS */
	ANSWER_KILLED = 2,   /* not executed: the thread or its process dies */
	ANSWER_EXECUTED = 3, /* executed, and of those that are watched */
};

/* What else there was that can have kept the call from being executed. */
enum circumstances {
	DURING_SETUP = 1,     /* a launched command was not executed yet */
	DURING_FILTERS = 2,   /* more filters than when the thread came under observation */
	DURING_TRACE = 4,     /* a tracer (ptrace) */
	DURING_EMULATION = 8, /* a tracer that answers calls itself (PTRACE_SYSEMU) */
	DURING_START = 16, /* nothing of the thread was seen before: it may have been in the call */
};

struct denied_key {
	u32 slot;
	s32 nr;
	u8 abi;
	u8 answer;
	u16 circumstances;
	s32 result; /* a negative errno; 0 for any other result */
};

struct denied {
	u64 count;
	u64 others; /* of them, those whose arguments found no room */
	u64 distinct;
	struct first_seen first;
};

/* Distinct arguments that are kept of calls that were denied or watched as such. */
#define DENIED_ARGS 32
/* The same where a filter tests them, of which only the tested ones are kept. */
#define DENIED_TESTED_ARGS 1024

struct denied_args_key {
	struct denied_key call;
	u64 args[6];
};

/* Bits of a byte of watch_row; 0: the call is not watched. The lower six: arguments that are kept.
 */
enum watch_flags {
	WATCH_ARGS = 63,
	WATCH_CALL = 64,
	WATCH_TESTED = 128, /* the filter tests the arguments that are kept */
};

/* Which calls of an ABI are reported though they are executed. */
struct watch_row {
	u8 nr[NR_MAX];
	u8 others;
};

struct denied_losses {
	u64 overflow; /* calls that found no room at all */
	u64 storage_failures;
};
