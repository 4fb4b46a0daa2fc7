//! What a recording says about a container besides its id: the program and the image. Told as far as it is known;
//! nothing depends on it.

use std::path::Path;

use serde::Deserialize;

use crate::input;
use crate::state::State;

/// The annotations in which engines name the image: CRI-O's (also of `podman kube play`), containerd's, and the one
/// of the image specification.
const IMAGE: [&str; 3] =
    ["io.kubernetes.cri-o.ImageName", "io.kubernetes.cri.image-name", "org.opencontainers.image.ref.name"];

#[derive(Deserialize)]
struct Config {
    process: Option<Process>,
}

#[derive(Deserialize)]
struct Process {
    args: Option<Vec<String>>,
}

/// The program that the container runs, from its bundle's `config.json`. Its arguments may hold secrets, and are not
/// looked at.
pub(crate) fn program(bundle: &Path) -> Option<String> {
    let config: Config = serde_json::from_str(&input::read(&bundle.join("config.json")).ok()?).ok()?;
    config.process?.args?.into_iter().next()
}

/// The image that the container was made from.
pub(crate) fn image(state: &State) -> Option<&str> {
    IMAGE.into_iter().find_map(|key| state.annotation(key).filter(|image| !image.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program_of(config: &str) -> Option<String> {
        let bundle = tempfile::tempdir().unwrap();
        std::fs::write(bundle.path().join("config.json"), config).unwrap();
        program(bundle.path())
    }

    #[test]
    fn the_program_is_the_first_argument_and_no_more() {
        let config = r#"{"ociVersion":"1.0.2","process":{"cwd":"/","args":["/bin/web","--key=secret"]}}"#;
        assert_eq!(program_of(config).as_deref(), Some("/bin/web"));
    }

    #[test]
    fn a_config_that_is_missing_or_odd_tells_nothing() {
        for config in ["", "not JSON", "{}", r#"{"process":{}}"#, r#"{"process":{"args":[]}}"#] {
            assert_eq!(program_of(config), None, "{config}");
        }
        assert_eq!(program(Path::new("/no/such/bundle")), None);
    }

    #[test]
    fn the_image_is_found_under_the_keys_of_every_engine() {
        for key in IMAGE {
            let text = format!(r#"{{"annotations":{{"{key}":"docker.io/library/web:1"}}}}"#);
            let state = crate::state::read(text.as_bytes()).unwrap();
            assert_eq!(image(&state), Some("docker.io/library/web:1"), "{key}");
        }
        let none =
            crate::state::read(&br#"{"annotations":{"io.kubernetes.cri-o.ImageName":""}}"#[..]).unwrap();
        assert_eq!(image(&none), None);
    }
}
