/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* More of the kernel's types than kernel.h: what a live view follows. Flavours ("___") share the
 * kernel's names. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	void *i_private;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	void *d_fsdata;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
};

struct linux_binprm___live {
	const char *filename;
	const char *interp;
	int envc;
};

/* fs/nsfs.c: what a file of nsfs stands for. */
struct proc_ns_operations {
	const char *name;
};

struct ns_common___live {
	const struct proc_ns_operations *ops;
};

struct sigset___live {
	unsigned long sig[1];
};

struct sigpending___live {
	struct sigset___live signal;
};

/* Since 5.17, 60700e38fb68 ("signal: Rename group_exit_task group_exec_task"). */
struct signal_struct___live {
	struct task_struct___live *group_exec_task;
};

struct signal_struct___old {
	struct task_struct___live *group_exit_task;
};

struct task_struct___old {
	long state;
};

struct task_struct___live {
	unsigned int __state;
	char comm[16];
	unsigned int ptrace;
	int pid;
	struct signal_struct___live *signal;
	struct files_struct *files;
	struct fs_struct *fs;
	struct mm_struct *mm;
	int exit_code;
	struct sigpending___live pending;
};

#pragma clang attribute pop
