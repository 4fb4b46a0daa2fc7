// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The walks over tasks as an object of its own, loaded only to attach to a
 * process that runs already; an instance that takes containers has them itself.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "maps.h"
#include "seed.h"
#include "lineage.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
