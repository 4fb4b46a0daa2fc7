//! What a profile does with one syscall of one ABI.

use super::region::Region;
use crate::Verdict;

/// More regions than this, and the kernel would not take the filter (`BPF_MAXINSNS` is 4096).
const MOST: usize = 2048;

/// The regions of one syscall cannot be held: their number explodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Disjoint regions with their verdicts, and the verdict of all other arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) cases: Vec<(Region, Verdict)>,
    pub(crate) otherwise: Verdict,
    /// The bits of an argument that count.
    pub(crate) bits: u64,
}

impl Decision {
    pub(crate) fn constant(otherwise: Verdict, bits: u64) -> Self {
        Self { cases: Vec::new(), otherwise, bits }
    }

    pub(crate) fn verdict(&self, args: &[u64; 6]) -> Verdict {
        let args = args.map(|arg| arg & self.bits);
        self.cases
            .iter()
            .find(|(region, _)| region.contains(&args))
            .map_or(self.otherwise, |(_, verdict)| *verdict)
    }

    /// The part of `region` that no case is about.
    fn outside(&self, region: Region) -> Result<Vec<Region>, TooMany> {
        let mut rest = vec![region];
        for (case, _) in &self.cases {
            rest = rest.iter().flat_map(|region| region.minus(case, self.bits)).collect();
            if rest.len() > MOST {
                return Err(TooMany);
            }
        }
        Ok(rest)
    }

    /// Adds a case; the earlier ones keep what is theirs. The verdict of an earlier one that it overlaps and that
    /// decides otherwise is returned.
    pub(crate) fn add(&mut self, region: Region, verdict: Verdict) -> Result<Option<Verdict>, TooMany> {
        let overlaps =
            |(case, other): &&(Region, Verdict)| *other != verdict && case.intersect(&region).is_some();
        let other = self.cases.iter().find(overlaps).map(|(_, other)| *other);
        let rest = self.outside(region)?;
        self.cases.extend(rest.into_iter().map(|region| (region, verdict)));
        if self.cases.len() > MOST { Err(TooMany) } else { Ok(other) }
    }

    /// The regions where the two are, with both verdicts; without the one where neither has a case.
    pub(crate) fn pairs(&self, other: &Self) -> Result<Vec<(Region, Verdict, Verdict)>, TooMany> {
        let mut pairs = Vec::new();
        for (mine, verdict) in &self.cases {
            for (theirs, their_verdict) in &other.cases {
                pairs.extend(mine.intersect(theirs).map(|both| (both, *verdict, *their_verdict)));
            }
            pairs.extend(other.outside(*mine)?.into_iter().map(|region| (region, *verdict, other.otherwise)));
        }
        for (theirs, verdict) in &other.cases {
            pairs.extend(self.outside(*theirs)?.into_iter().map(|region| (region, self.otherwise, *verdict)));
        }
        if pairs.len() > 4 * MOST { Err(TooMany) } else { Ok(pairs) }
    }

    /// A call of the region where neither has a case, if it is not empty.
    pub(crate) fn neither(&self, other: &Self) -> Result<Option<[u64; 6]>, TooMany> {
        for region in self.outside(Region::all(self.bits))? {
            if let Some(rest) = other.outside(region)?.first() {
                return Ok(Some(rest.witness()));
            }
        }
        Ok(None)
    }

    /// Whether both decide the same for all arguments.
    pub(crate) fn same(&self, other: &Self) -> Result<bool, TooMany> {
        if self.pairs(other)?.iter().any(|(_, mine, theirs)| mine != theirs) {
            return Ok(false);
        }
        Ok(self.otherwise == other.otherwise || self.neither(other)?.is_none())
    }

    /// The same decision with fewer cases: regions that touch are one, and those that decide as all others are none.
    pub(crate) fn tidy(mut self) -> Self {
        self.cases.retain(|(_, verdict)| *verdict != self.otherwise);
        self.cases.sort_unstable();
        'again: loop {
            for first in 0..self.cases.len() {
                for second in first + 1..self.cases.len() {
                    let ((mine, verdict), (theirs, other)) = (self.cases[first], self.cases[second]);
                    if verdict == other
                        && let Some(joined) = mine.join(&theirs)
                    {
                        self.cases[first].0 = joined;
                        self.cases.remove(second);
                        continue 'again;
                    }
                }
            }
            return self;
        }
    }
}
