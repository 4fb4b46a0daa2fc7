//! The floor: an empty program on `tp_btf/sys_enter`, which is what any recorder there costs at least.

use anyhow::Context;
use libbpf_rs::{Link, ObjectBuilder};

/// `bpf/floor.bpf.c`, compiled.
const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/floor.bpf.o"));

/// An empty program, run at every syscall of the machine until this is dropped.
pub struct Floor {
    _link: Link,
}

impl Floor {
    /// Loads and attaches it.
    ///
    /// # Errors
    /// The kernel does not let us.
    pub fn attach() -> anyhow::Result<Self> {
        let open = ObjectBuilder::default().open_memory(OBJECT).context("cannot open the floor's program")?;
        let object = open.load().context("cannot load the floor's program")?;
        let program = object.progs_mut().next().context("the floor's program is missing")?;
        let link = program.attach().context("cannot attach the floor's program")?;
        // The link keeps the program, also without the object.
        Ok(Self { _link: link })
    }
}
