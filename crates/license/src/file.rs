//! The license file: a certificate as a file that a person carries to a device without a network. PEM armour
//! (RFC 7468) around the JWT, in lines that survive mails and editors; what stands before the armour is for people.
//!
//! Nothing is proven by the armour: what comes out is verified as every other certificate is. The bare JWT is read
//! as well, as it comes from a QR code.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use crate::MAX_CERTIFICATE_BYTES;

const BEGIN: &str = "-----BEGIN LATCHKEY LICENSE-----";
const END: &str = "-----END LATCHKEY LICENSE-----";
const LINE: usize = 64;

/// The longest license file that is looked at, in bytes.
pub const MAX_FILE_BYTES: usize = 2 * MAX_CERTIFICATE_BYTES;

/// Why no certificate was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileError {
    /// It is longer than [`MAX_FILE_BYTES`].
    TooLong,
    /// There is no whole certificate in it.
    NotAFile,
}

impl FileError {
    /// The stable word for it, the same in every language that a client library is written in.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAFile => "not_a_license_file",
        }
    }
}

/// A certificate as a license file. The notes, a name and a value each, stand before it for people to read.
#[must_use]
pub fn write_file(certificate: &str, notes: &[(&str, &str)]) -> String {
    let mut file = String::with_capacity(certificate.len() + 256);
    for (name, value) in notes {
        file.push_str(name);
        file.push_str(": ");
        // A note stays on its line, and none can be taken for the armour.
        let value: String = value.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        file.push_str(&value.replace("-----", " "));
        file.push('\n');
    }
    file.push_str(BEGIN);
    for (at, char) in certificate.chars().enumerate() {
        if at % LINE == 0 {
            file.push('\n');
        }
        file.push(char);
    }
    file.push('\n');
    file.push_str(END);
    file.push('\n');
    file
}

/// The certificate in a license file, or in a text that is nothing but a certificate. Not verified yet.
///
/// # Errors
/// [`FileError`]: the text was cut off, or is something else.
pub fn read_file(text: &str) -> Result<String, FileError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(FileError::TooLong);
    }
    let certificate: String = match text.split_once(BEGIN) {
        Some((_, rest)) => {
            let body = rest.split_once(END).ok_or(FileError::NotAFile)?.0;
            body.chars().filter(|char| !matches!(char, ' ' | '\t' | '\r' | '\n')).collect()
        }
        None => text.trim_matches([' ', '\t', '\r', '\n', '\u{feff}']).to_owned(),
    };
    let is_token = certificate.bytes().filter(|&byte| byte == b'.').count() == 2
        && certificate.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_token { Ok(certificate) } else { Err(FileError::NotAFile) }
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(formatter, "a license file is at most {MAX_FILE_BYTES} bytes long"),
            Self::NotAFile => formatter.write_str("there is no whole license in this text"),
        }
    }
}

impl core::error::Error for FileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_however_it_travelled() {
        let certificate = "eyJhbGciOiJFZERTQSJ9.".to_owned() + &"a".repeat(200) + ".b-_9";
        let file = write_file(&certificate, &[("Product", "Lumen\n-----BEGIN LATCHKEY LICENSE-----"), ("Key-Id", "k")]);
        let (first, rest) = certificate.split_at(64);
        let (second, rest) = rest.split_at(64);
        let (third, fourth) = rest.split_at(64);
        let notes = "Product: Lumen  BEGIN LATCHKEY LICENSE \nKey-Id: k\n";
        assert_eq!(file, std::format!("{notes}{BEGIN}\n{first}\n{second}\n{third}\n{fourth}\n{END}\n"));
        let travelled = [
            file.clone(),
            file.replace('\n', "\r\n"),
            file.replace('\n', "\n  "),
            std::format!("\u{feff}Dear buyer,\n\n{file}\nBest\n"),
            certificate.clone(),
            std::format!("\u{feff}  {certificate}\r\n"),
        ];
        for text in travelled {
            assert_eq!(read_file(&text).as_ref(), Ok(&certificate), "{text}");
        }
        let cut = file.split_once(END).map(|(start, _)| start.to_owned());
        for text in ["", "a.b", "a.b.c.d", "a. b.c", "Dear buyer a.b.c", &cut.unwrap_or_default()] {
            assert_eq!(read_file(text), Err(FileError::NotAFile), "{text}");
        }
        assert_eq!(MAX_FILE_BYTES, 131_072, "twice what a certificate may be");
        assert_eq!(read_file(&"a".repeat(MAX_FILE_BYTES)), Err(FileError::NotAFile));
        assert_eq!(read_file(&"a".repeat(MAX_FILE_BYTES + 1)), Err(FileError::TooLong));
    }

    #[test]
    fn a_file_is_refused_with_a_stable_word_and_a_sentence() {
        for (why, word, sentence) in [
            (FileError::TooLong, "too_long", "a license file is at most 131072 bytes long"),
            (FileError::NotAFile, "not_a_license_file", "there is no whole license in this text"),
        ] {
            assert_eq!((why.code(), std::format!("{why}").as_str()), (word, sentence));
        }
    }
}
