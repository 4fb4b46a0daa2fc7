/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the caller's memory into items. These are global functions: the
 * verifier looks at each once, and not at every path that leads to it, so they
 * find what they work on by themselves and take numbers only.
 */
#pragma once

/* Set by the loader. */
const volatile u32 string_limit = 32;

/* What an item is of and what it is, in one number. */
#define TAG(read, arg, kind) ((u32)(read) | (u32)(arg) << 8 | (u32)(kind) << 16)

/* What the functions return. */
enum {
	READ_DONE = 0,
	READ_FAILED = 1, /* nothing was left behind: it is read again later */
};

/* Where the next item goes; NULL: there is no room. */
static __always_inline u8 *room(struct live_work *w)
{
	u64 at = w->at;

	if (at > LIVE_DATA) {
		w->full = 1;
		return NULL;
	}
	return &w->data[at];
}

static __always_inline void finish_item(struct live_work *w, u8 *to, u32 tag, u8 extent, u32 len)
{
	struct live_item *item = (void *)to;

	item->read = tag;
	item->arg = tag >> 8;
	item->kind = tag >> 16;
	item->extent = extent;
	item->len = len;
	w->at += (sizeof(*item) + len + 7) & ~7;
}

/* An item without bytes. */
static __always_inline int mark(struct live_work *w, u32 tag, u8 extent)
{
	u8 *to = room(w);

	if (to)
		finish_item(w, to, tag, extent, 0);
	return READ_DONE;
}

/* What is there up to the end of the page, where the next one cannot be read. */
static __always_inline int rest_of_page(struct live_work *w, u8 *to, u32 tag, u64 from, u64 size)
{
	u64 first = 4096 - (from & 4095);

	if (!w->final)
		return READ_FAILED;
	if (first > LIVE_PATH || first >= size ||
	    bpf_probe_read_user(to + sizeof(struct live_item), first, (void *)from))
		first = 0;
	finish_item(w, to, tag, LIVE_UNREADABLE, first);
	return READ_DONE;
}

__noinline int read_string(u64 from, u32 limit, u32 tag)
{
	struct live_work *w = the_work();
	u64 size = limit;

	if (!w)
		return READ_DONE;
	if (size > LIVE_PATH)
		size = LIVE_PATH;
	/* The NUL, and one byte more: a longer string is told by it. */
	size += 2;

	u8 *to = room(w);

	if (!to)
		return READ_DONE;

	long got = bpf_probe_read_user_str(to + sizeof(struct live_item), size, (void *)from);

	if (got <= 0)
		return rest_of_page(w, to, tag, from, size);
	if (got >= size)
		finish_item(w, to, tag, LIVE_CUT, size - 2);
	else
		finish_item(w, to, tag, LIVE_WHOLE, got - 1);
	return READ_DONE;
}

__noinline int read_bytes(u64 from, u64 len, u32 limit, u32 tag)
{
	struct live_work *w = the_work();
	u64 size = len;

	if (!w)
		return READ_DONE;
	if (size > limit)
		size = limit;
	if (size > LIVE_PATH)
		size = LIVE_PATH;

	u8 *to = room(w);

	if (!to)
		return READ_DONE;
	if (bpf_probe_read_user(to + sizeof(struct live_item), size, (void *)from))
		return rest_of_page(w, to, tag, from, size);
	finish_item(w, to, tag, size < len ? LIVE_CUT : LIVE_WHOLE, size);
	return READ_DONE;
}

/* A pointer or a size of the caller's ABI. False: it cannot be read. */
static __always_inline bool read_word(u64 *to, u64 from, bool compat)
{
	*to = 0;
	/* Both machines are little-endian. */
	return !bpf_probe_read_user(to, compat ? 4 : 8, (void *)from);
}

/* An array of pointers to strings. */
__noinline int read_strings(u64 from, u32 tag)
{
	struct live_work *w = the_work();

	if (!w)
		return READ_DONE;

	u32 start = w->at, word = w->compat ? 4 : 8, end = tag | LIVE_ITEM_END << 16;
	u64 pointer;

	for (int i = 0; i < LIVE_STRINGS + 1; i++) {
		if (!read_word(&pointer, from + i * word, w->compat)) {
			if (w->final)
				return mark(w, end, LIVE_UNREADABLE);
			w->at = start;
			return READ_FAILED;
		}
		if (!pointer)
			return mark(w, end, LIVE_WHOLE);
		if (i == LIVE_STRINGS || w->full)
			return mark(w, end, LIVE_CUT);
		if (read_string(pointer, string_limit, tag | LIVE_ITEM_STRING_ELEMENT << 16)) {
			w->at = start;
			return READ_FAILED;
		}
	}
	return READ_DONE;
}

/* An array of struct iovec, and of its buffers the first `valid` bytes. */
__noinline int read_iovec(u64 from, u64 count, u64 valid, u32 tag)
{
	struct live_work *w = the_work();

	if (!w)
		return READ_DONE;

	u32 start = w->at, word = w->compat ? 4 : 8, end = tag | LIVE_ITEM_END << 16;
	u64 base, len;

	for (int i = 0; i < LIVE_IOVECS; i++) {
		if (i >= count)
			return mark(w, end, LIVE_WHOLE);
		if (w->full)
			return mark(w, end, LIVE_CUT);
		if (!read_word(&base, from + i * 2 * word, w->compat) ||
		    !read_word(&len, from + i * 2 * word + word, w->compat)) {
			if (w->final)
				return mark(w, end, LIVE_UNREADABLE);
			w->at = start;
			return READ_FAILED;
		}
		if (len > valid)
			len = valid;
		valid -= len;
		if (read_bytes(base, len, string_limit, tag | LIVE_ITEM_ELEMENT << 16)) {
			w->at = start;
			return READ_FAILED;
		}
	}
	return mark(w, end, count > LIVE_IOVECS ? LIVE_CUT : LIVE_WHOLE);
}

/* Strings that lie one after another up to `end`, as the kernel lays out a program's arguments. */
__noinline int read_packed(u64 from, u64 end, u32 tag)
{
	struct live_work *w = the_work();

	if (!w)
		return READ_DONE;
	for (int i = 0; i < LIVE_STRINGS; i++) {
		u8 *to = room(w);

		if (from >= end || !to)
			break;

		long got = bpf_probe_read_user_str(to + sizeof(struct live_item), LIVE_PATH,
						   (void *)from);
		u32 kind = LIVE_ITEM_STRING_ELEMENT << 16;

		if (got <= 0)
			return mark(w, tag | LIVE_ITEM_END << 16, LIVE_UNREADABLE);
		if (got - 1 > string_limit)
			finish_item(w, to, tag | kind, LIVE_CUT, string_limit);
		else
			finish_item(w, to, tag | kind, LIVE_WHOLE, got - 1);
		/* Where one goes on after that, the next one cannot be found. */
		if (got == LIVE_PATH)
			break;
		from += got;
	}
	return mark(w, tag | LIVE_ITEM_END << 16, from < end ? LIVE_CUT : LIVE_WHOLE);
}
