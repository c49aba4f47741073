//! The one font: a subset of DejaVu Sans, inside takd so that PNGs need no system font.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use std::sync::LazyLock;

static SANS: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("font/sans.ttf")).expect("the font inside takd is whole")
});

/// The font, and the scale that makes an em `size` pixels.
pub(super) fn sans(size: f64) -> (&'static FontRef<'static>, PxScale) {
    let font = &*SANS;
    // ab_glyph's scale is the height from the lowest descent to the highest ascent.
    let em = font.units_per_em().unwrap_or(2048.0);
    (font, PxScale::from(size as f32 * font.height_unscaled() / em))
}

/// Width of a line of text of `size` pixels.
pub fn width(text: &str, size: f64) -> f64 {
    let (font, scale) = sans(size);
    let font = font.as_scaled(scale);
    text.chars().map(|c| f64::from(font.h_advance(font.glyph_id(c)))).sum()
}

/// A text of `size` pixels, cut where it would be wider than `room`.
pub fn cut(text: &str, size: f64, room: f64) -> String {
    let mut shown = text.to_owned();
    if width(&shown, size) > room {
        while width(&shown, size) + width("…", size) > room && shown.pop().is_some() {}
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_every_sign_that_takd_writes() {
        for c in "Aa09 ±−–…→←×≤≥τλ†·%(),.;:'\"".chars() {
            assert_ne!(SANS.glyph_id(c).0, 0, "{c}");
        }
    }

    #[test]
    fn widths_are_the_fonts() {
        // DejaVu Sans: 1303 of 2048 units for a digit.
        assert!((width("00", 20.48) - 26.06).abs() < 0.01, "{}", width("00", 20.48));
    }
}
