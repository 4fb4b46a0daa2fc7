//! The values of captured arguments, from the maps.

use std::collections::BTreeMap;
use std::mem::offset_of;

use libbpf_rs::{MapCore, MapFlags};
use seccomp_trace_core::{ArgValue, ArgValues, Syscall};

use crate::skel::recorder::types;
use crate::tables::Tables;
use crate::{Error, wire};

/// The captured arguments of one row. A call whose argument is captured and was not made has no values.
pub(crate) fn read(
    tables: &Tables,
    slot: u16,
    row: u32,
    abi: u32,
) -> Result<BTreeMap<Syscall, ArgValues>, Error> {
    let at = u32::from(slot) * wire::ABIS + abi;
    let mut captured = configured(abi, &tables.captures.read(at));
    if captured.is_empty() {
        return Ok(captured);
    }
    for key in tables.values.keys().filter(|key| wire::u32_at(key, 0) == Some(row)) {
        let count = tables.values.lookup(&key, MapFlags::ANY).map_err(Error::map("values"))?;
        let count = count.as_deref().and_then(|bytes| wire::u64_at(bytes, 0)).unwrap_or_default();
        let nr = wire::u32_at(&key, offset_of!(types::capture_key, nr));
        let value = wire::u64_at(&key, offset_of!(types::capture_key, value));
        let (Some(nr), Some(value), Some(arch)) = (nr, value, wire::arch_of(abi)) else { continue };
        let call = Syscall::new(arch, i32::from_ne_bytes(nr.to_ne_bytes()));
        if let Some(args) = captured.get_mut(&call) {
            args.values.insert(ArgValue(value), count);
        }
    }
    Ok(captured)
}

/// The calls that a `struct capture_row` has an argument of, still without values.
fn configured(abi: u32, config: &[u8]) -> BTreeMap<Syscall, ArgValues> {
    let byte = |field: usize, nr: usize| config.get(field + nr).copied().unwrap_or_default();
    let Some(arch) = wire::arch_of(abi) else { return BTreeMap::new() };
    (0i32..)
        .zip(0..wire::NR_MAX)
        .filter_map(|(number, nr)| {
            let index = byte(offset_of!(types::capture_row, arg), nr).checked_sub(1)?;
            let widened = byte(offset_of!(types::capture_row, widened), nr) != 0;
            Some((Syscall::new(arch, number), ArgValues { index, values: BTreeMap::new(), widened }))
        })
        .collect()
}
