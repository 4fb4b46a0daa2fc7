//! How calls fail.

use super::constants;

/// An errno that a call returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Positive.
    pub(crate) number: i64,
    /// Its name, where it has one.
    pub(crate) name: Option<&'static str>,
    /// What it means.
    pub(crate) meaning: String,
    /// Whether the kernel keeps it to itself: the call is started again, or fails with `EINTR`.
    pub(crate) internal: bool,
}

/// The kernel's own codes (`include/linux/errno.h`), in strace's words.
const INTERNAL: [(i64, &str, &str); 4] = [
    (512, "ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    (513, "ERESTARTNOINTR", "To be restarted"),
    (514, "ERESTARTNOHAND", "To be restarted if no handler"),
    (516, "ERESTART_RESTARTBLOCK", "Interrupted by signal"),
];

impl Failure {
    /// What a returned value tells; `None` where the call did not fail.
    pub(crate) fn of(value: i64) -> Option<Self> {
        if !(-4095..=-1).contains(&value) {
            return None;
        }
        let number = -value;
        if let Some((_, name, meaning)) = INTERNAL.iter().find(|(internal, ..)| *internal == number) {
            return Some(Self { number, name: Some(name), meaning: (*meaning).to_owned(), internal: true });
        }
        let name = constants::errno(number.cast_unsigned());
        Some(Self { number, name, meaning: meaning(number), internal: false })
    }

    /// Whether it is this errno.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == Some(name)
    }
}

/// The C library's words.
fn meaning(number: i64) -> String {
    let Ok(errno) = i32::try_from(number) else { return String::new() };
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    // The standard library adds the number.
    text.rsplit_once(" (os error").map_or(text.clone(), |(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_has_its_name_and_the_c_librarys_words() {
        let failure = Failure::of(-2).unwrap();
        assert_eq!((failure.name, failure.meaning.as_str()), (Some("ENOENT"), "No such file or directory"));
        let again = Failure::of(-11).unwrap();
        assert_eq!(
            (again.name, again.meaning.as_str()),
            (Some("EAGAIN"), "Resource temporarily unavailable")
        );
        let restart = Failure::of(-512).unwrap();
        assert!(restart.internal && restart.is("ERESTARTSYS"));
        assert_eq!(Failure::of(-600).unwrap().name, None);
        assert_eq!(Failure::of(-4096), None, "an address or a large number");
        assert_eq!(Failure::of(0), None);
    }
}
