//! Rounds in turn, and the quartiles of what they gave.

/// Lower quartile, median and upper quartile.
pub type Quartiles = [f64; 3];

/// The quartiles of some values, between neighbours where one falls there. Not a number where there are none.
#[must_use]
pub fn quartiles(values: &[f64]) -> Quartiles {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| at(&sorted, quarter))
}

fn at(sorted: &[f64], quarter: usize) -> f64 {
    let position = sorted.len().saturating_sub(1) * quarter;
    let (index, rest) = (position / 4, position % 4);
    let Some(low) = sorted.get(index) else { return f64::NAN };
    let high = sorted.get(index + 1).unwrap_or(low);
    #[expect(clippy::cast_precision_loss, reason = "0 to 3")]
    let share = rest as f64 / 4.0;
    low + (high - low) * share
}

/// Something that is measured once a round.
pub struct Contender<'a, T> {
    name: String,
    once: Box<dyn FnMut() -> anyhow::Result<T> + 'a>,
}

impl<'a, T> Contender<'a, T> {
    /// What it is called, and how it is measured once.
    pub fn new(name: impl Into<String>, once: impl FnMut() -> anyhow::Result<T> + 'a) -> Self {
        Self { name: name.into(), once: Box::new(once) }
    }
}

/// What each contender gave in each round.
#[derive(Debug)]
pub struct Rounds<T> {
    results: Vec<(String, Vec<T>)>,
}

/// Measures all of them once, then all of them again, and so on.
///
/// # Errors
/// The first that one of them had.
pub fn in_turn<T>(rounds: usize, mut contenders: Vec<Contender<'_, T>>) -> anyhow::Result<Rounds<T>> {
    let mut results: Vec<_> = contenders.iter().map(|one| (one.name.clone(), Vec::new())).collect();
    for _ in 0..rounds {
        for (contender, (name, values)) in contenders.iter_mut().zip(&mut results) {
            values.push((contender.once)().map_err(|error| error.context(name.clone()))?);
        }
    }
    Ok(Rounds { results })
}

impl<T> Rounds<T> {
    /// Whether there was a contender of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.results.iter().any(|(other, _)| other == name)
    }

    /// What the contender of this name gave; none where there was none.
    #[must_use]
    pub fn of(&self, name: &str) -> &[T] {
        self.results.iter().find(|(other, _)| other == name).map_or(&[], |(_, values)| values)
    }

    /// The quartiles of one contender.
    pub fn quartiles(&self, name: &str, value: impl FnMut(&T) -> f64) -> Quartiles {
        quartiles(&self.of(name).iter().map(value).collect::<Vec<_>>())
    }

    /// The quartiles of the ratios of one contender to another, round by round.
    pub fn ratio(&self, name: &str, to: &str, value: impl Fn(&T) -> f64) -> Quartiles {
        self.compared(name, to, value, |one, other| one / other)
    }

    /// The quartiles of the differences of one contender from another, round by round.
    pub fn difference(&self, name: &str, from: &str, value: impl Fn(&T) -> f64) -> Quartiles {
        self.compared(name, from, value, |one, other| one - other)
    }

    fn compared(
        &self,
        one: &str,
        other: &str,
        value: impl Fn(&T) -> f64,
        how: impl Fn(f64, f64) -> f64,
    ) -> Quartiles {
        let pairs = self.of(one).iter().zip(self.of(other));
        quartiles(&pairs.map(|(one, other)| how(value(one), value(other))).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition that R calls type 7, and that numpy and spreadsheets use.
    #[test]
    fn quartiles_lie_between_neighbours_where_none_is_there() {
        assert_eq!(quartiles(&[4.0, 1.0, 3.0, 2.0, 5.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(&[4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]);
        assert_eq!(quartiles(&[7.0]), [7.0; 3]);
        assert!(quartiles(&[]).iter().all(|value| value.is_nan()));
    }

    /// A machine that gets slower during the run must not count for one of them.
    #[test]
    fn contenders_are_measured_in_turn_and_compared_round_by_round() {
        let clock = std::cell::Cell::new(0.0);
        let tick = |factor: f64| {
            clock.set(clock.get() + 1.0);
            Ok((clock.get(), clock.get() * factor))
        };
        let contenders = vec![Contender::new("a", || tick(1.0)), Contender::new("b", || tick(2.0))];
        let rounds = in_turn(3, contenders).unwrap();
        assert_eq!(rounds.of("a").iter().map(|pair| pair.0).collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
        assert_eq!(rounds.of("b").iter().map(|pair| pair.0).collect::<Vec<_>>(), [2.0, 4.0, 6.0]);
        // 4/1, 8/3, 12/5
        assert!((rounds.ratio("b", "a", |pair| pair.1)[1] - 8.0 / 3.0).abs() < 1e-9);
        // 3, 5, 7
        assert!((rounds.difference("b", "a", |pair| pair.1)[1] - 5.0).abs() < 1e-9);
        assert!(!rounds.has("c") && rounds.of("c").is_empty());
    }

    #[test]
    fn an_error_names_the_contender() {
        let failing = vec![Contender::<f64>::new("the loop", || anyhow::bail!("no such file"))];
        assert_eq!(format!("{:#}", in_turn(1, failing).unwrap_err()), "the loop: no such file");
    }
}
