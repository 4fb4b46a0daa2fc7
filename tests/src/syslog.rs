//! A system log of the test's own: the bytes that arrive at `/dev/log`.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Sent by this module to itself; no program sends bytes like these.
const MARKER: &[u8] = b"\0everything before this has arrived";
const END: &[u8] = b"\0end";

#[derive(Debug, Default)]
struct Arrived {
    datagrams: Vec<Vec<u8>>,
    markers: usize,
}

/// A listener at a socket, which collects all datagrams from its beginning on.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    arrived: Arc<(Mutex<Arrived>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Syslog {
    /// Listens at `path`, which everybody may write to.
    #[must_use]
    pub fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a socket in a folder of ours");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).expect("the mode of it");
        let arrived = Arc::new((Mutex::new(Arrived::default()), Condvar::new()));
        let collected = Arc::clone(&arrived);
        let reader = std::thread::spawn(move || collect(&socket, &collected));
        Self { path: path.to_owned(), arrived, reader: Some(reader) }
    }

    /// The datagrams that were sent before this call, in the order of their arrival.
    #[must_use]
    pub fn datagrams(&self) -> Vec<Vec<u8>> {
        let (arrived, changed) = &*self.arrived;
        let mut arrived = arrived.lock().expect("the reader does not panic");
        // A socket keeps the order: when the marker is here, so is what was sent before it.
        let wanted = arrived.markers + 1;
        self.send(MARKER);
        while arrived.markers < wanted {
            arrived = changed.wait(arrived).expect("the reader does not panic");
        }
        arrived.datagrams.clone()
    }

    /// The entries among them; panics where a datagram is of no known form.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let read = |bytes: Vec<u8>| {
            Entry::parse(&bytes)
                .unwrap_or_else(|| panic!("not a log entry: {:?}", String::from_utf8_lossy(&bytes)))
        };
        self.datagrams().into_iter().map(read).collect()
    }

    fn send(&self, bytes: &[u8]) {
        let socket = UnixDatagram::unbound().expect("a socket");
        socket.send_to(bytes, &self.path).expect("sending to a socket of ours");
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.send(END);
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

fn collect(socket: &UnixDatagram, collected: &(Mutex<Arrived>, Condvar)) {
    let (arrived, changed) = collected;
    let mut buffer = vec![0; 65536];
    while let Ok(length) = socket.recv(&mut buffer) {
        let mut arrived = arrived.lock().expect("the owner does not panic with the lock");
        match &buffer[..length] {
            END => return,
            MARKER => arrived.markers += 1,
            bytes => arrived.datagrams.push(bytes.to_vec()),
        }
        changed.notify_all();
    }
}

/// One entry: `<PRIORITY>Mmm dd hh:mm:ss TAG[PID]: TEXT`, as RFC 3164 and every C library have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Eight times the facility, plus the severity.
    pub priority: u8,
    /// Who says it.
    pub tag: String,
    /// The process that says it.
    pub pid: u32,
    /// What is said.
    pub text: String,
}

impl Entry {
    /// `user.crit`, `user.err` and `user.info`.
    pub const CRIT: u8 = 8 + 2;
    /// See [`CRIT`](Self::CRIT).
    pub const ERR: u8 = 8 + 3;
    /// See [`CRIT`](Self::CRIT).
    pub const INFO: u8 = 8 + 6;

    /// Reads the bytes of an entry; `None` where they have not this form to the letter.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (priority, rest) = text.strip_prefix('<')?.split_once('>')?;
        let (time, rest) = rest.split_at_checked(16)?;
        let (tag, rest) = rest.split_once('[')?;
        let (pid, text) = rest.split_once("]: ")?;
        let plain = !text.is_empty() && !text.contains(['\n', '\0']);
        (is_time(time.as_bytes()) && plain).then_some(())?;
        Some(Self {
            priority: priority.parse().ok()?,
            tag: tag.to_owned(),
            pid: pid.parse().ok()?,
            text: text.to_owned(),
        })
    }
}

/// Whether this is `Mmm dd hh:mm:ss `, with a blank for the first digit of a small day.
fn is_time(bytes: &[u8]) -> bool {
    let form = b"Mmm dD DD:DD:DD ";
    bytes.len() == form.len()
        && bytes.iter().zip(form).all(|(byte, kind)| match kind {
            b'M' => byte.is_ascii_uppercase(),
            b'm' => byte.is_ascii_lowercase(),
            b'd' => byte.is_ascii_digit() || *byte == b' ',
            b'D' => byte.is_ascii_digit(),
            literal => byte == literal,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// What util-linux's logger sends is what C programs send.
    #[test]
    fn an_entry_of_another_program_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Syslog::listen(&path);
        let sent = Command::new("logger")
            .args(["--socket-errors=on", "-u"])
            .arg(&path)
            .args(["-t", "tag", "--id=12", "-p", "user.crit", "no [pid]: here"])
            .status()
            .expect("cannot start logger");
        assert!(sent.success());
        let entry = Entry { priority: 10, tag: "tag".to_owned(), pid: 12, text: "no [pid]: here".to_owned() };
        assert_eq!(log.entries(), [entry]);
    }

    #[test]
    fn what_is_not_of_the_form_to_the_letter_is_no_entry() {
        assert!(Entry::parse(b"<14>Jan  2 03:04:05 hook[7]: text").is_some());
        for wrong in [
            "14 Jan  2 03:04:05 hook[7]: text",
            "<14>2026-01-02T03:04:05Z hook[7]: text",
            "<14>Jan  2 03:04:05 hook: text",
            "<14>Jan  2 03:04:05 hook[7]: ",
            "<14>Jan  2 03:04:05 hook[7]: text\n",
            "<300>Jan  2 03:04:05 hook[7]: text",
        ] {
            assert_eq!(Entry::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
