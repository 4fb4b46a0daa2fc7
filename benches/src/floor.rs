//! The floor: an empty program on `tp_btf/sys_enter`, which is what any recorder there costs at least.

use anyhow::Context;
use libbpf_rs::{Link, ObjectBuilder};

/// `bpf/floor.bpf.c`, compiled.
const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/floor.bpf.o"));

/// What a program of the floor asks the kernel before it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: this is the floor.
    Nothing,
    /// Which task makes the call (`bpf_get_current_task_btf`).
    Task,
    /// That, and what is stored with the task (`bpf_task_storage_get`).
    Storage,
}

impl Asks {
    fn program(self) -> &'static str {
        match self {
            Self::Nothing => "floor_of_sys_enter",
            Self::Task => "floor_with_task",
            Self::Storage => "floor_with_storage",
        }
    }
}

/// A program of the floor, run at every syscall of the machine until this is dropped.
pub struct Floor {
    _link: Link,
}

impl Floor {
    /// Loads and attaches it.
    ///
    /// # Errors
    /// The kernel does not let us.
    pub fn attach(asks: Asks) -> anyhow::Result<Self> {
        let mut open =
            ObjectBuilder::default().open_memory(OBJECT).context("cannot open the floor's programs")?;
        for mut program in open.progs_mut() {
            let wanted = program.name() == asks.program();
            program.set_autoload(wanted);
        }
        let object = open.load().context("cannot load the floor's program")?;
        let program = object.progs_mut().find(|program| program.name() == asks.program());
        let link = program.context("the floor's program is missing")?.attach();
        // The link keeps the program, also without the object.
        Ok(Self { _link: link.context("cannot attach the floor's program")? })
    }
}
