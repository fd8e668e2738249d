//! A text as a QR code: black on white in every theme, for a camera.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// More than this is no pleasure to scan, nor fits on a phone.
const LONGEST: usize = 1_200;

/// The white margin that readers need (ISO/IEC 18004), in modules.
const MARGIN: usize = 4;

/// A QR code: one path over a square of so many modules.
pub(crate) struct Qr {
    /// How wide and high it is, margin included.
    pub(crate) size: usize,
    /// The black modules, as the path of an SVG.
    pub(crate) path: String,
}

impl Qr {
    /// The code of a text; `None` when it is too long for one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (column, row) = (at % width + MARGIN, at / width + MARGIN);
                // Writing to a text does not fail.
                let _ = write!(path, "M{column} {row}h1v1h-1z");
            }
        }
        Some(Self { size: width + 2 * MARGIN, path })
    }
}
