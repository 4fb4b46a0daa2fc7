//! What a profile means: a function from ABI, syscall and arguments to a verdict.
//!
//! There are two ways to it. From the rules, without libseccomp, as that understands them (`src/db.c`, versions 2.5 and
//! 2.6; found by experiment and in the source):
//! - a rule without conditions beats those with conditions, wherever it stands; of several the first counts;
//! - rules with conditions are alternatives; a rule whose verdict is the default one does not exist;
//! - 64-bit ABIs compare all bits, the others, x32 among them, the lower 32 of argument and condition;
//! - where rules with different verdicts overlap, the order is libseccomp's own: that is an error here, not a guess.
//!
//! Or from the filters that libseccomp compiles, which are followed for all arguments at once: then it is what a
//! container gets, whatever the rules seem to say. libseccomp 2.5.4 compiles some sets of several rules for one syscall
//! wrongly where one of them holds `NE`, `LT`, `LE`, `GE` or `GT`; such filters allow calls that no rule allows. `Equal`
//! and `MaskedEqual`, and single rules, are compiled as meant.

pub(crate) mod diagram;
pub(crate) mod draft;
pub(crate) mod installation;
pub(crate) mod multiplex;
pub(crate) mod table;
