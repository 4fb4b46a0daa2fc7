// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The live view: one record per call of the traced tasks, sent at its end. An
 * object of its own, loaded only when asked for, that shares the membership of
 * the recorder.
 *
 * Both tracepoints of system calls run for every task of the machine. The
 * number is looked up before anything of the task is: what is not shown costs a
 * load and a look into a constant table. What is read at entry waits with the
 * thread; what does not fit there is sent ahead.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "live_record.h"
#include "maps.h"
#include "lookup.h"
#include "registers.h"
#include "flight.h"
#include "reads.h"

/* Set by the loader. Which calls are shown, by ABI and number; `odd_chosen` is for all numbers
 * outside. */
const volatile u16 chosen[ABIS * NR_MAX] = {};
const volatile u16 odd_chosen = 0;
const volatile bool show_successes = true;
const volatile bool show_failures = true;
const volatile bool show_exits = false;

/* A type reaches BTF only through a variable. */
const struct live_call *unused_call __attribute__((unused));
const struct live_signal *unused_signal __attribute__((unused));
const struct live_exit *unused_exit __attribute__((unused));
const struct live_item *unused_item __attribute__((unused));
const struct live_file *unused_file __attribute__((unused));
const enum live_chosen *unused_chosen __attribute__((unused));
const enum live_what *unused_what __attribute__((unused));
const enum live_length *unused_length __attribute__((unused));
const enum live_kind *unused_kind __attribute__((unused));
const enum live_outcome *unused_outcome __attribute__((unused));
const enum live_item_kind *unused_item_kind __attribute__((unused));
const enum live_extent *unused_extent __attribute__((unused));
const enum live_file_flags *unused_file_flags __attribute__((unused));
const enum abi *unused_abi __attribute__((unused));

static __always_inline u16 choice(u32 abi, u64 nr)
{
	if (nr >= NR_MAX || abi >= ABIS)
		return odd_chosen;
	return chosen[abi * NR_MAX + nr];
}

static __always_inline bool is_failure(long value)
{
	return value < 0 && value >= -4095;
}

static __always_inline bool shows_all(void)
{
	return show_successes && show_failures;
}

#include "calls.h"
#include "lives.h"
#include "pending.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
