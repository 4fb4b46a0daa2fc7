/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a descriptor refers to, from the kernel's own structures and without
 * their locks: a rename meanwhile can show half of each name.
 */
#pragma once
#include "files.h"

#define AT_FDCWD   (-100)
#define NSFS_MAGIC 0x6e736673

enum {
	WALK_ON,
	WALK_THERE,
	WALK_NO_ROOM,
};

/* Goes one step towards the root, and adds the name that it leaves. */
__noinline int walk_step(u64 at)
{
	struct live_work *w = the_work();

	if (!w || at > LIVE_DATA + LIVE_PATH - 256)
		return WALK_NO_ROOM;

	struct dentry *dentry = (void *)w->dentry, *parent;
	struct vfsmount *mnt = (void *)w->mnt;

	if (w->dentry == w->root_dentry && w->mnt == w->root_mnt)
		return WALK_THERE;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt_root)) {
		struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (above == mount)
			return WALK_THERE;
		w->dentry = (u64)BPF_CORE_READ(mount, mnt_mountpoint);
		w->mnt = (u64)above + bpf_core_field_offset(struct mount, mnt);
		return WALK_ON;
	}
	if (!parent || parent == dentry)
		return WALK_THERE;

	/* The name's NUL is read with it; what was not there is an empty name. */
	long got = bpf_probe_read_kernel_str(&w->data[at], 256, BPF_CORE_READ(dentry, d_name.name));

	if (got <= 0) {
		w->data[at] = 0;
		got = 1;
	}
	w->dentry = (u64)parent;
	w->at = at + got;
	return WALK_ON;
}

static __always_inline struct file *file_of(struct task_struct___live *task, s32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (!table || fd < 0 || (u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/* The names of what has no path: the last one alone, or of a namespace its kind. */
static __always_inline void only_name(struct live_work *w, struct dentry *dentry,
				      struct inode *inode, u32 magic)
{
	const char *name = (void *)BPF_CORE_READ(dentry, d_name.name);
	u64 at = w->at;

	if (at > LIVE_DATA + 64)
		return;
	if (magic == NSFS_MAGIC) {
		struct ns_common___live *ns = BPF_CORE_READ(inode, i_private);

		name = BPF_CORE_READ(ns, ops, name);
	}

	long got = bpf_probe_read_kernel_str(&w->data[at], 256, name);

	if (got > 0)
		w->at = at + got;
}

__noinline int read_descriptor(u32 fd, u32 tag)
{
	struct live_work *w = the_work();
	struct task_struct___live *task = (void *)bpf_get_current_task_btf();

	if (!w)
		return READ_DONE;

	u32 start = w->at;
	u8 *to = room(w);
	struct path path = {};

	if (!to)
		return READ_DONE;
	if ((s32)fd == AT_FDCWD) {
		BPF_CORE_READ_INTO(&path.mnt, task, fs, pwd.mnt);
		BPF_CORE_READ_INTO(&path.dentry, task, fs, pwd.dentry);
	} else {
		struct file *file = file_of(task, fd);

		path.mnt = BPF_CORE_READ(file, f_path.mnt);
		path.dentry = BPF_CORE_READ(file, f_path.dentry);
	}
	if (!path.dentry || !path.mnt)
		return mark(w, tag | LIVE_ITEM_NO_FILE << 16, LIVE_WHOLE);

	struct inode *inode = BPF_CORE_READ(path.dentry, d_inode);
	struct dentry *parent = BPF_CORE_READ(path.dentry, d_parent);
	struct live_file file = {
		.inode = BPF_CORE_READ(inode, i_ino),
		.magic = BPF_CORE_READ(inode, i_sb, s_magic),
	};
	bool apart = parent == path.dentry && path.dentry != BPF_CORE_READ(path.mnt, mnt_root);
	u8 extent = LIVE_WHOLE;

	w->at += sizeof(struct live_item) + sizeof(file);
	if (apart || file.magic == NSFS_MAGIC) {
		file.flags |= LIVE_FILE_APART;
		only_name(w, path.dentry, inode, file.magic);
	} else {
		if (parent != path.dentry && !BPF_CORE_READ(path.dentry, d_hash.pprev))
			file.flags |= LIVE_FILE_DELETED;
		w->dentry = (u64)path.dentry;
		w->mnt = (u64)path.mnt;
		w->root_dentry = (u64)BPF_CORE_READ(task, fs, root.dentry);
		w->root_mnt = (u64)BPF_CORE_READ(task, fs, root.mnt);
		extent = LIVE_CUT;
		for (int i = 0; i < LIVE_NAMES; i++) {
			int step = walk_step(w->at);

			if (step == WALK_THERE)
				extent = LIVE_WHOLE;
			if (step != WALK_ON)
				break;
		}
	}

	u32 end = w->at;

	w->at = start;
	__builtin_memcpy(to + sizeof(struct live_item), &file, sizeof(file));
	finish_item(w, to, tag | LIVE_ITEM_FILE << 16, extent,
		    end - start - sizeof(struct live_item));
	return READ_DONE;
}
