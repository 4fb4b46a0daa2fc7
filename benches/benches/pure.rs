//! What needs no kernel, one piece of work at a time: `cargo bench -p seccomp-trace-benches --bench pure [NAME]`.
//!
//! The pieces are those of the table. divan takes as many samples as it needs, and shows the spread.

use divan::{Bencher, black_box};
use seccomp_trace_benches::questions::pure::inputs::Inputs;
use seccomp_trace_benches::questions::pure::work::{ALL, Work};

fn main() {
    divan::main();
}

/// A piece of work by its name.
struct Named(&'static Work);

impl std::fmt::Display for Named {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.name)
    }
}

#[divan::bench(args = ALL.iter().map(Named))]
fn work(bencher: Bencher<'_, '_>, Named(work): &Named) {
    let inputs = Inputs::new().expect("the inputs");
    if !work.needs_real || inputs.real.is_some() {
        bencher.bench(|| (work.run)(black_box(&inputs)).expect("work that can be done"));
    }
}
