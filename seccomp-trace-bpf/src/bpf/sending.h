/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Puts the record of a call together: at its entry, and at its end. */
#pragma once

/* What does not fit into the flight goes ahead of its call. False: it is lost. */
static __always_inline bool send_ahead(struct flight *flight, struct live_work *w, u64 now)
{
	u64 len = w->at;

	if (len > sizeof(w->data))
		len = sizeof(w->data);
	w->call = flight->call;
	w->call.head.kind = LIVE_DATA_OF_CALL;
	w->call.len = len;
	flight->call.parted = 1;
	return send(&w->call, sizeof(w->call) + len, now, w->call.head.slot);
}

/* What was read at entry. False: it is lost. */
static __always_inline bool keep(struct flight *flight, struct live_work *w, u64 now)
{
	u64 len = w->at;

	if (len > LIVE_INLINE)
		return send_ahead(flight, w, now);
	flight->call.len = len;
	bpf_probe_read_kernel(flight->data, len, w->data);
	return true;
}

static __always_inline void prepare(struct live_work *w, const struct flight *flight)
{
	w->plan = flight->plan;
	w->compat = flight->call.abi == ABI_COMPAT;
	w->at = 0;
	for (int i = 0; i < 6; i++)
		w->args[i] = flight->call.args[i];
	w->args[6] = flight->call.value;
}

static __always_inline void fill_call(struct flight *flight, const struct member *self,
				      struct pt_regs *regs, u32 abi, s32 nr, u64 now)
{
	struct live_call *call = &flight->call;

	fill_head(&call->head, self, LIVE_CALL, now);
	call->head.seq++;
	for (u32 i = 0; i < 6; i++)
		call->args[i] = argument(regs, abi, i);
	bpf_get_current_comm(call->comm, sizeof(call->comm));
	call->value = 0;
	call->nr = nr;
	call->abi = abi;
	call->len = 0;
	call->parted = 0;
	call->missing = 0;
	flight->failed = 0;
	flight->started = 0;
	flight->shown = 0;
}

/* The end of a call: what waited with the thread is sent, with what is read now. */
static __always_inline void conclude(struct flight *flight, u8 mask, u64 now)
{
	struct live_call *call = &flight->call;
	u64 len = call->len;
	struct live_work *w = the_work();

	call->left_ns = now;
	call->missing = flight->failed;
	if (len > LIVE_INLINE || !w)
		return;
	if (!mask) {
		send(call, sizeof(*call) + len, now, call->head.slot);
		return;
	}
	prepare(w, flight);
	bpf_probe_read_kernel(w->data, len, flight->data);
	w->at = len;
	w->final = 1;
	gather(w, mask);
	w->call = *call;
	/* What failed has an item that says so, but where there was no room. */
	w->call.missing = w->failed | (flight->failed & ~mask);
	len = w->at;
	if (len > sizeof(w->data))
		len = sizeof(w->data);
	w->call.len = len;
	send(&w->call, sizeof(w->call) + len, now, call->head.slot);
}
