/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kernel and user space exchange. The Rust side (wire.rs) takes sizes,
 * offsets and constants from the BTF of the compiled object: nothing here is
 * written twice.
 */
#pragma once

/*
 * A row of the tables belongs to one slot (target), one phase and one ABI:
 * row = (slot * PHASES + phase) * ABIS + abi.
 */
enum phase {
	PHASE_SETUP = 0,
	PHASE_RUNTIME_INIT = 1,
	PHASE_WORKLOAD = 2,
	PHASES = 3,
};

enum abi {
	ABI_NATIVE = 0,
	ABI_COMPAT = 1, /* i386, arm32 */
	ABI_X32 = 2,
	ABIS = 3,
};

/*
 * Numbers below this have a byte in the tables; all others go to a hash map.
 * x32's own numbers end at 547, and the native tables are at 470 and grow by
 * about eight a year.
 */
#define NR_MAX 640

#define COMM_LEN 16

/* A byte of a seen_row. Written as a whole, always to the same: no lock. */
enum seen_flags {
	SEEN = 1,	   /* the call was made */
	SEEN_CAPTURES = 2, /* one of its arguments is captured at every call */
};

struct seen_row {
	u8 nr[NR_MAX];
};

/* Distinct values of one argument that are kept; one more, and none counts. */
#define CAPTURE_VALUES 32

/* What is captured of the calls of one slot and ABI: slot * ABIS + abi. */
struct capture_row {
	u8 arg[NR_MAX];	     /* the argument's index + 1; 0: none */
	u8 distinct[NR_MAX]; /* values seen in all phases */
	u8 widened[NR_MAX];  /* 1: too many values, or no room for one */
};

struct capture_key {
	u32 row;
	u32 nr;
	u64 value; /* all 64 bits of the register; 32 of a 32-bit caller's */
};

/* Who made a call first. time_ns is claimed by compare-and-swap: one writer. */
struct first_seen {
	u64 time_ns; /* CLOCK_BOOTTIME; 0: nobody */
	u32 tgid;
	u32 tid;
	char comm[COMM_LEN];
};

struct first_row {
	struct first_seen nr[NR_MAX];
};

struct count_row {
	u64 nr[NR_MAX];
};

/* A number outside the tables, with its value as the caller passed it. */
struct odd_key {
	u32 row;
	s32 nr;
};

struct odd_value {
	u64 count;
	struct first_seen first;
};

enum member_flags {
	MEMBER_INIT = 1,     /* the target's first process: its exec starts the workload */
	MEMBER_PHASED = 2,   /* a filter installed in setup starts the runtime init */
	MEMBER_ENTERING = 4, /* came from outside: its exec tells whether it belongs */
	MEMBER_ASIDE = 8,    /* a hook that the runtime runs in init's place: not recorded */
	MEMBER_INSIDE = 16,  /* came under observation running: it may be inside a call */
	MEMBER_ENDED = 32,   /* its exit has been counted */
};

/* What a traced task carries in its task storage. */
struct member {
	u32 row;	/* of ABI_NATIVE; the hot path adds the ABI */
	u32 generation; /* of the slot when the task joined it */
	s32 filters;	/* seccomp.filter_count when tracing began */
	u16 slot;
	u8 phase;
	u8 flags;
	u32 exec_id; /* self_exec_id of the last exec that was taken notice of */
};

enum target_flags {
	TARGET_EVENTS = 1, /* report first calls and execs through the ring */
	TARGET_CGROUP = 2, /* a cgroup tells its members, whoever made them */
};

/*
 * How a process that was started outside a container is known to enter it: it
 * is moved into the container's cgroup, and executes a program in its mount
 * namespace. Where the container has no cgroup of its own, a filter stands for it.
 */
enum entrance_kind {
	ENTRANCE_CGROUP2 = 1,  /* id: of the cgroup in the v2 hierarchy */
	ENTRANCE_PIDS = 2,     /* id: of the cgroup in v1's pids hierarchy */
	ENTRANCE_MOUNT_NS = 3, /* id: inode of the namespace */
};

struct entrance_key {
	u64 id;
	u32 kind;
	u32 pad;
};

struct entrance {
	u32 slot;
	u32 generation;
	u32 by_filter; /* no cgroup of its own: whoever has a filter belongs to it */
	u32 whole;     /* the target is the cgroup: whoever is in it belongs to it */
};

/* One target: its configuration and its counters. */
struct target {
	u32 generation;
	u32 flags;
	u64 live;      /* tasks (threads) that have not exited */
	u64 processes; /* processes seen so far */
	u64 storage_failures;
	u64 number_overflow;
	u64 events_lost;
	u64 exec_ns;  /* when the workload began, CLOCK_BOOTTIME; 0: not yet */
	u64 ended_ns; /* when the last task exited */
	u64 mount_ns; /* inode of a container's mount namespace; 0: not a container */
	u64 init;     /* its first process, as the initial pid namespace numbers it */
	u64 unseeded; /* tasks that could not be told to be its own while it was adopted */
	u64 moved;    /* processes with several threads that were moved into its cgroup */
};

/* One walk over all tasks for one target. */
struct seed_pass {
	u32 slot;
	u32 generation;
	u32 container; /* has a mount namespace of its own, and phases */
	u32 running;   /* the target runs: what its tasks are in the middle of counts */
	u32 opening;   /* the first pass */
	u32 by_cgroup; /* whoever is behind an entrance belongs to it */
	u64 added;
	u64 failed; /* no storage: the next pass tries again */
	u64 moving; /* parents changed meanwhile: the next pass looks again */
	u64 dying;  /* the last process that left children, as the kernel numbers it */
	u64 alive;
	u64 evicted;
	/* Where a container's init is; leader: its process id, 0: it was not met. */
	u64 leader;
	u64 mount_ns;
	u64 cgroup2;
	u64 cgroup2_parent;
	u64 pids_cgroup;
};

enum event_kind {
	EVENT_NEW_SYSCALL = 1,
	EVENT_EXEC = 2,
	EVENT_ENDED = 3,
	EVENT_MOVED = 4, /* the other threads of a process are to be adopted */
};

struct event {
	u32 kind;
	u32 slot;
	u32 generation;
	u8 phase;
	u8 abi;
	u16 unused;
	s32 nr;
	u32 pad;
	struct first_seen who;
};

#define NSIG 65

struct last_signal {
	u64 time_ns; /* 0: none, or paired already */
	u32 sender;
	u32 pad;
};

/* Signals of a command and of the process that launched it, by number. */
struct signal_tally {
	u32 alone[NSIG]; /* sent to the launcher and not to the command */
	u32 pad;
	struct last_signal command[NSIG];
};
