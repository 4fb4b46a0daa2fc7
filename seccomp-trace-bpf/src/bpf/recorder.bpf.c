// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records which syscalls the traced tasks make.
 *
 * on_sys_enter runs at every syscall of every task on the machine, so the test
 * that lets the others go comes first and costs one load. It is attached to the
 * BTF tracepoint, which is the cheapest of the stable attach points. The other
 * programs run when a task is created, executes, exits or is signalled, and
 * keep membership and the count of live tasks.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "maps.h"

/* Set by the loader; what is off is pruned by the verifier. */
const volatile bool count_calls = false;

/* The id of `tasks`, known to the loader only after it has been created. */
u32 tasks_id = 0;
/* Look-ups that failed on tasks that are ours. */
u64 lookup_failures = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct seen_row);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct first_row);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct count_row);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct odd_key);
	__type(value, struct odd_value);
} odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

/* The process that launched a command, marked so that its signals are told. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} launchers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct signal_tally);
} signals SEC(".maps");

/* A type reaches BTF, and so the loader's checks, only through a variable. */
const struct event *unused_event __attribute__((unused));
const enum phase *unused_phase __attribute__((unused));
const enum abi *unused_abi __attribute__((unused));
const enum member_flags *unused_member_flags __attribute__((unused));
const enum target_flags *unused_target_flags __attribute__((unused));
const enum event_kind *unused_event_kind __attribute__((unused));

/*
 * Exists where a look-up cannot fail on a task that has storage: since 6.2,
 * commit 0593dd34e534 ("bpf: Refactor the core bpf_task_storage_get logic into
 * a new function") and its successors.
 */
extern u64 bpf_task_storage_get_recur(u64 map, u64 task, u64 value, u64 flags,
				      u64 gfp) __ksym __weak;

static __always_inline u32 abi_of(struct task_struct *task, long *id)
{
#if defined(__TARGET_ARCH_x86)
	/* TS_COMPAT, not cs: int 0x80 from 64-bit code is an i386 call. */
	if (task->thread_info.status & 2)
		return ABI_COMPAT;
	/* __X32_SYSCALL_BIT; a negative number is no x32 call. */
	if (*id > 0 && (*id & 0x40000000)) {
		*id &= ~0x40000000;
		return ABI_X32;
	}
	return ABI_NATIVE;
#elif defined(__TARGET_ARCH_arm64)
	/* TIF_32BIT */
	return (task->thread_info.flags >> 22) & 1 ? ABI_COMPAT : ABI_NATIVE;
#else
#error "no rule for this architecture's syscall ABIs"
#endif
}

static __always_inline struct target *target_of(const struct member *self)
{
	u32 slot = self->slot;

	return bpf_map_lookup_elem(&targets, &slot);
}

static __always_inline void enter_phase(struct member *self, u8 phase)
{
	self->row = ((u32)self->slot * PHASES + phase) * ABIS;
	self->phase = phase;
}

static __always_inline void fill_who(struct first_seen *who)
{
	u64 id = bpf_get_current_pid_tgid();

	who->tgid = id >> 32;
	who->tid = (u32)id;
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

static __always_inline void emit(struct target *target, const struct member *self,
				 struct event *event, u64 flags)
{
	event->slot = self->slot;
	event->generation = self->generation;
	event->phase = self->phase;
	fill_who(&event->who);
	if (bpf_ringbuf_output(&events, event, sizeof(*event), flags))
		__sync_fetch_and_add(&target->events_lost, 1);
}

/* Off the hot path: at most once per row and number. */
static __noinline int first_call(struct member *self, struct seen_row *row, u32 index, u64 nr)
{
	struct first_row *firsts = bpf_map_lookup_elem(&first, &index);
	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();

	if (nr >= NR_MAX || !firsts || !target)
		return 0;
	/* Two threads may get here at once: one of them is the first. */
	bool won = __sync_val_compare_and_swap(&firsts->nr[nr].time_ns, 0, now) == 0;

	if (won)
		fill_who(&firsts->nr[nr]);
	row->nr[nr] = 1;
	if (won && (target->flags & TARGET_EVENTS)) {
		struct event event = {
			.kind = EVENT_NEW_SYSCALL,
			.abi = index % ABIS,
			.nr = nr,
			.who.time_ns = now,
		};
		emit(target, self, &event, 0);
	}
	return 0;
}

/* A number outside the tables: kept as it is, so that nothing goes missing. */
static __noinline int odd_call(struct member *self, u32 index, s32 nr)
{
	struct odd_key key = { .row = index, .nr = nr };
	struct odd_value *known = bpf_map_lookup_elem(&odd, &key);

	if (known) {
		if (count_calls)
			__sync_fetch_and_add(&known->count, 1);
		return 0;
	}

	struct odd_value value = { .count = 1, .first.time_ns = bpf_ktime_get_boot_ns() };

	fill_who(&value.first);
	if (bpf_map_update_elem(&odd, &key, &value, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&odd, &key)) {
		struct target *target = target_of(self);

		if (target)
			__sync_fetch_and_add(&target->number_overflow, 1);
	}
	return 0;
}

/*
 * The look-up found nothing on a task that has storage of somebody. It is loss
 * only if the storage is ours: look for our map in the task's list.
 */
static __noinline int not_found(struct task_struct *task)
{
	if (bpf_ksym_exists(bpf_task_storage_get_recur))
		return 0;

	struct hlist_node *node = BPF_CORE_READ(task, bpf_storage, list.first);

	for (int i = 0; i < 64 && node; i++) {
		struct bpf_local_storage_elem *elem =
			(void *)node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);

		if (BPF_CORE_READ(elem, sdata.smap, map.id) == tasks_id) {
			__sync_fetch_and_add(&lookup_failures, 1);
			return 0;
		}
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);
	if (self->phase == PHASE_SETUP && (self->flags & MEMBER_PHASED) &&
	    task->seccomp.filter_count.counter != self->filters)
		enter_phase(self, PHASE_RUNTIME_INIT);

	u32 index = self->row + abi_of(task, &id);
	u64 nr = (u32)id;

	if (nr >= NR_MAX)
		return odd_call(self, index, (s32)id);
	if (count_calls) {
		struct count_row *row = bpf_map_lookup_elem(&counts, &index);

		if (row)
			row->nr[nr]++;
	}

	struct seen_row *row = bpf_map_lookup_elem(&seen, &index);

	if (!row || row->nr[nr])
		return 0;
	return first_call(self, row, index, nr);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();

	if (!parent->bpf_storage)
		return 0;

	struct member *from = bpf_task_storage_get(&tasks, parent, NULL, 0);

	if (!from)
		return not_found(parent);

	struct target *target = target_of(from);

	if (!target)
		return 0;

	struct member *self =
		bpf_task_storage_get(&tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!self) {
		__sync_fetch_and_add(&target->storage_failures, 1);
		return 0;
	}
	*self = *from;
	__sync_fetch_and_add(&target->live, 1);
	if (!(clone_flags & CLONE_THREAD)) {
		self->flags &= ~MEMBER_INIT;
		__sync_fetch_and_add(&target->processes, 1);
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (!task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);

	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();

	if (!target)
		return 0;
	if (self->phase != PHASE_WORKLOAD && (self->flags & MEMBER_INIT)) {
		enter_phase(self, PHASE_WORKLOAD);
		target->exec_ns = now;
	}
	if (target->flags & TARGET_EVENTS) {
		struct event event = { .kind = EVENT_EXEC, .who.time_ns = now };

		emit(target, self, &event, 0);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (!task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);

	struct target *target = target_of(self);

	if (!target || target->generation != self->generation)
		return 0;
	if (__sync_fetch_and_add(&target->live, -1) == 1) {
		struct event event = { .kind = EVENT_ENDED,
				       .who.time_ns = bpf_ktime_get_boot_ns() };

		target->ended_ns = event.who.time_ns;
		emit(target, self, &event, BPF_RB_FORCE_WAKEUP);
	}
	return 0;
}

/* Signals of one kill(2) to a process group are this close together. */
#define SAME_KILL_NS 100000000ULL

/*
 * Lets the launcher tell a signal that was sent to it alone from one that its
 * command got as well (^C, kill of the process group): only the former is to be
 * forwarded. A process group is signalled newest member first, so the command's
 * signal comes before the launcher's. What the launcher sends does not count.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task, int group)
{
	struct task_struct *sender = bpf_get_current_task_btf();
	u64 nr = sig;

	if (!task->bpf_storage || nr >= NSIG)
		return 0;
	if (sender->bpf_storage && bpf_task_storage_get(&launchers, sender, NULL, 0))
		return 0;

	u32 *launcher = bpf_task_storage_get(&launchers, task, NULL, 0);
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);
	bool to_command = !launcher && group && self && (self->flags & MEMBER_INIT);

	if (!launcher && !to_command)
		return 0;

	u32 slot = launcher ? *launcher : self->slot;
	struct signal_tally *tally = bpf_map_lookup_elem(&signals, &slot);
	u64 now = bpf_ktime_get_boot_ns();
	u32 tid = (u32)bpf_get_current_pid_tgid();

	if (!tally)
		return 0;

	struct last_signal *last = &tally->command[nr];

	if (to_command) {
		last->time_ns = now;
		last->sender = tid;
	} else if (last->time_ns && last->sender == tid && now - last->time_ns < SAME_KILL_NS) {
		last->time_ns = 0;
	} else {
		__sync_fetch_and_add(&tally->alone[nr], 1);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
