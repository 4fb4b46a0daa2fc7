//! SECURITY.md names the tests that show what it says.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder, but for what was built.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of this repository").flatten();
    let paths = entries.map(|entry| (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
    paths
        .flat_map(|(path, is_folder)| match (path.file_name().and_then(OsStr::to_str), is_folder) {
            (Some("target"), _) => Vec::new(),
            (Some(name), true) if name.starts_with('.') => Vec::new(),
            (_, true) => sources(&path),
            _ => vec![path],
        })
        .filter(|path| path.extension() == Some(OsStr::new("rs")))
        .collect()
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A test that was renamed or removed leaves a claim without proof.
#[test]
fn each_test_that_the_threat_model_names_is_there() {
    let model = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let files = sources(&root());
    let (mut named, mut functions) = (0, 0);
    for word in quoted(&model) {
        if word.ends_with(".rs") {
            assert!(files.iter().any(|file| file.ends_with(word)), "there is no {word}");
            named += 1;
        } else if word.matches('_').count() > 2 && word.chars().all(|c| c == '_' || c.is_ascii_lowercase()) {
            let is_there = |file: &PathBuf| {
                fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {word}(")))
            };
            assert!(files.iter().any(is_there), "there is no test {word}");
            functions += 1;
        }
    }
    assert!(named > 15 && functions > 4, "{named} files and {functions} tests are named");
}
