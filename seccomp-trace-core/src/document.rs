//! Reading a JSON document so that an error says where.

use serde::de::DeserializeOwned;

/// Where a document is wrong, and why.
#[derive(Debug)]
pub struct DocumentError {
    /// The place, as a path of keys and indices.
    pub path: String,
    /// What is wrong there, with line and column.
    pub source: serde_json::Error,
}

/// Reads a whole text as one JSON document.
///
/// # Errors
/// [`DocumentError`]: not JSON, not of this shape, or something follows the document.
pub fn read_document<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    // Keeping account of the place takes as long as reading: it is done for texts that are wrong only.
    if let Ok(document) = serde_json::from_str(text) {
        return Ok(document);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let document = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| DocumentError { path: place(error.path()), source: error.into_inner() })?;
    deserializer.end().map_err(|source| DocumentError { path: "the end".to_owned(), source })?;
    Ok(document)
}

/// A path in a document in words: `serde_path_to_error` calls the document itself `.`.
fn place(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    match text.char_indices().nth(200) {
        _ if text == "." => "the top level".to_owned(),
        // Nonsense can be nested as deep as the parser goes.
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
