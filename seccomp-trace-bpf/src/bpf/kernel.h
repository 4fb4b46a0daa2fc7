/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that our programs touch. Every access is relocated by
 * CO-RE against the running kernel's BTF, so only names and types matter here,
 * not offsets; a whole vmlinux.h would cost hundreds of milliseconds at load.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h: fixed for ever, it is the syscall's interface. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

/* include/uapi/linux/sched.h, include/linux/sched.h */
enum {
	CLONE_THREAD = 0x00010000,
	PF_EXITING = 0x00000004,
	PF_IO_WORKER = 0x00000010,
	PF_USER_WORKER = 0x00004000,
	PF_KTHREAD = 0x00200000,
};

#define CLONE_INTO_CGROUP 0x200000000ULL

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10;
	unsigned long orig_ax, cs;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long long regs[31];
	unsigned long long orig_x0;
	s32 syscallno;
};
#endif

struct kernel_siginfo;
struct linux_binprm;
struct seq_file;

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct bpf_map {
	u32 id;
};

struct bpf_local_storage_map {
	struct bpf_map map;
};

struct bpf_local_storage_data {
	struct bpf_local_storage_map *smap;
};

struct bpf_local_storage_elem {
	struct hlist_node snode;
	struct bpf_local_storage_data sdata;
};

struct bpf_local_storage {
	struct hlist_head list;
};

struct thread_info {
	unsigned long flags;
	u32 status;		    /* x86 only */
	unsigned long syscall_work; /* where entry code is the generic one */
};

enum syscall_work_bit {
	SYSCALL_WORK_BIT_SYSCALL_EMU,
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

typedef struct {
	int counter;
} atomic_t;

struct seccomp {
	int mode;
	atomic_t filter_count;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct kernfs_node {
	u64 id;
};

struct cgroup_root {
	unsigned int subsys_mask;
	int hierarchy_id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

enum bpf_func_id {
	BPF_FUNC_task_pt_regs = 175,
};

/* A bit of cgroup_root.subsys_mask and an index of css_set.subsys. */
enum cgroup_subsys_id {
	pids_cgrp_id,
};

struct list_head {
	struct list_head *next;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	unsigned int flags;
	unsigned int is_child_subreaper : 1;
};

struct pid_namespace {
	struct task_struct *child_reaper;
};

struct upid {
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_state;
	unsigned int ptrace;
	int exit_code;
	int pid;
	int tgid;
	u64 self_exec_id;
	struct task_struct *real_parent;
	struct list_head children;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
	char comm[16];
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct sigpending pending;
	struct seccomp seccomp;
	struct bpf_local_storage *bpf_storage;
};

struct trace_event_raw_sys_enter {
	long id;
};

struct trace_event_raw_sys_exit {
	long ret;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

/* The context of iter/task: fixed offsets, translated by the verifier. */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
