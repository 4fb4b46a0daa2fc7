/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a live view and user space exchange. The Rust side (live/) takes sizes,
 * offsets and constants from the BTF of the compiled object, as with record.h.
 */
#pragma once

#define LIVE_READS   8	   /* of one call */
#define LIVE_PATH    4096  /* bytes of a path, and of any one piece */
#define LIVE_STRUCT  512   /* bytes of a structure */
#define LIVE_STRINGS 32	   /* of an array */
#define LIVE_IOVECS  16	   /* of an array */
#define LIVE_NAMES   64	   /* directories and mounts that a descriptor's path is followed through */
#define LIVE_INLINE  1536  /* bytes read at entry that wait with the thread for the call's end */
#define LIVE_DATA    24576 /* bytes of all that is read of one call */

/* Bits of `chosen`; the lower ones: 0: not shown, n: shown, with the reads of plan n - 1. */
enum live_chosen {
	LIVE_PLAN = 0x3fff,
	/*
	 * It may end with 0 and not have been entered under this number: in a new
	 * thread, or where a program of another ABI was executed. Such an exec has
	 * the bit also where it is not shown.
	 */
	LIVE_ELSEWHERE = 0x4000,
};

enum live_what {
	LIVE_WHAT_PATH = 1,
	LIVE_WHAT_STRING,
	LIVE_WHAT_BUFFER,
	LIVE_WHAT_STRUCT,
	LIVE_WHAT_STRINGS,
	LIVE_WHAT_IOVEC,
	LIVE_WHAT_DESCRIPTOR,
};

enum live_length {
	LIVE_LENGTH_FIXED = 1,	       /* size */
	LIVE_LENGTH_ARG,	       /* what length_arg says */
	LIVE_LENGTH_ELEMENTS,	       /* as many of size as length_arg says */
	LIVE_LENGTH_POINTED,	       /* the u32 to which length_arg points */
	LIVE_LENGTH_RETURNED,	       /* what the call returned */
	LIVE_LENGTH_RETURNED_ELEMENTS, /* as many of size as the call returned */
};

/* One thing to read; what the fields mean depends on `what` and `length`. */
struct live_read {
	u8 arg; /* 6: the result */
	u8 what;
	u8 length;
	u8 length_arg; /* of an iovec: the argument that counts its elements */
	u16 size;
	u8 returned; /* of an iovec: only the returned bytes are valid */
	u8 pad;
};

struct live_plan {
	u32 count;
	u8 at_entry; /* bits: the reads that are done then */
	u8 at_exit;
	u16 pad;
	struct live_read reads[LIVE_READS];
};

enum live_kind {
	LIVE_CALL = 1,
	LIVE_DATA_OF_CALL = 2, /* what was read at the entry of a call that will come */
	LIVE_SIGNAL = 3,
	LIVE_EXIT = 4,
};

enum live_outcome {
	LIVE_RETURNED = 1,
	LIVE_PENDING = 2,
	LIVE_NEVER = 3,
	LIVE_SKIPPED = 4,
};

/* What every record begins with. */
struct live_head {
	u32 kind;
	u32 slot;
	u32 generation;
	u32 tgid;
	u32 tid;
	u32 seq;     /* of the call among those of its thread */
	u64 time_ns; /* of a call: its entry; CLOCK_BOOTTIME */
};

struct live_call {
	struct live_head head;
	u64 left_ns;
	__s64 value;
	u64 args[6];
	char comm[COMM_LEN];
	s32 nr;
	u32 len; /* bytes of the items that follow */
	u8 abi;
	u8 outcome;
	u8 missing; /* bits: reads of the entry of which there is nothing */
	u8 parted;  /* items were sent ahead */
	u32 pad;
};

struct live_signal {
	struct live_head head;
	u8 info[48]; /* the siginfo_t as far as it tells something */
};

struct live_exit {
	struct live_head head;
	u32 status;
	u32 superseded_by; /* the thread whose exec ended this one; 0: none */
};

enum live_item_kind {
	LIVE_ITEM_NULL = 1,
	LIVE_ITEM_STRING, /* ends at its first NUL, if it has one */
	LIVE_ITEM_BYTES,
	LIVE_ITEM_ELEMENT, /* bytes that are one of a list */
	LIVE_ITEM_STRING_ELEMENT,
	LIVE_ITEM_END,	/* of a list */
	LIVE_ITEM_FILE, /* struct live_file, and names from the file up to the root, each with its
			   NUL */
	LIVE_ITEM_NO_FILE,
	LIVE_ITEM_COUNT, /* a u64: the elements of a list that says less of itself */
};

enum live_extent {
	LIVE_WHOLE = 1,
	LIVE_CUT,
	LIVE_UNREADABLE,
};

/* One thing that was read; `len` bytes follow, and zeros up to a multiple of eight. */
struct live_item {
	u8 read; /* which of the plan */
	u8 arg;
	u8 kind;
	u8 extent;
	u32 len;
};

enum live_file_flags {
	LIVE_FILE_DELETED = 1,
	LIVE_FILE_APART = 2, /* no path leads to it: a socket, a pipe, an anonymous file */
};

struct live_file {
	u64 inode;
	u32 magic; /* of its file system */
	u32 flags;
};
