//! Pictures of events: what was uploaded is drawn anew, so that nothing of the file but what is seen is kept; and the card by which
//! a link is previewed.

use base::FaultKind;
use base::limit::{CARD_PIXELS, PICTURE_MEMORY_BYTES_MAX, PICTURE_SIDE_PIXELS_MAX, PICTURE_UPLOAD_SIDE_PIXELS_MAX};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use resvg::usvg::{self, fontdb};
use resvg::{render, tiny_skia};
use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

/// How good the picture is kept, of 100.
const QUALITY: u8 = 84;

/// The font of cards: Latin, Greek, Cyrillic, Arabic and more. What it has not is taken from the system's, where there are any.
const FONT: &[u8] = include_bytes!("../../../fonts/DejaVuSans-Bold.ttf");

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.load_system_fonts();
    Arc::new(fonts)
});

/// Reads an uploaded PNG, JPEG or WebP and gives it back as a JPEG without metadata, no larger than pages need.
pub(crate) fn redrawn(bytes: &[u8]) -> Result<Vec<u8>, FaultKind> {
    let wrong = |error: image::ImageError| {
        tracing::debug!(%error, "an uploaded picture can't be read");
        FaultKind::PictureUnusable
    };
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| FaultKind::PictureUnusable)?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) {
        return Err(FaultKind::PictureUnusable);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_UPLOAD_SIDE_PIXELS_MAX);
    limits.max_image_height = Some(PICTURE_UPLOAD_SIDE_PIXELS_MAX);
    limits.max_alloc = Some(PICTURE_MEMORY_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(wrong)?;
    let way_up = decoder.orientation().map_err(wrong)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    picture.apply_orientation(way_up);
    let side = PICTURE_SIDE_PIXELS_MAX;
    if picture.width() > side || picture.height() > side {
        picture = picture.resize(side, side, FilterType::Triangle);
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&on_white(&picture)).map_err(wrong)?;
    Ok(jpeg)
}

/// JPEG knows nothing that can be seen through.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let seen = picture.to_rgba8();
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0.map(u16::from);
        let over = |colour: u16| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        Rgb([over(red), over(green), over(blue)])
    })
}

/// The card of an event with a picture: its middle, as PNG.
pub(crate) fn card_of_picture(jpeg: &[u8]) -> Result<Vec<u8>, FaultKind> {
    let picture = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).map_err(|_| FaultKind::Internal)?;
    let (width, height) = CARD_PIXELS;
    let card = picture.resize_to_fill(width, height, FilterType::Triangle).to_rgb8();
    let mut png = Vec::new();
    card.write_with_encoder(PngEncoder::new(&mut png)).map_err(|_| FaultKind::Internal)?;
    Ok(png)
}

/// The card of an event without one: its title, and a line about when.
pub(crate) fn card_of_words(title: &str, line: &str) -> Result<Vec<u8>, FaultKind> {
    let options = usvg::Options { font_family: "DejaVu Sans".to_owned(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(&drawing(title, line), &options).map_err(|_| FaultKind::Internal)?;
    let (width, height) = CARD_PIXELS;
    let mut pixels = tiny_skia::Pixmap::new(width, height).ok_or(FaultKind::Internal)?;
    render(&tree, tiny_skia::Transform::default(), &mut pixels.as_mut());
    pixels.encode_png().map_err(|_| FaultKind::Internal)
}

/// The card as SVG: paper, the mark, the title in at most four lines.
fn drawing(title: &str, line: &str) -> String {
    let rows = rows(title);
    let (size, step) = if rows.len() > 2 { (60, 78) } else { (76, 98) };
    let (x, anchor) = if runs_left(title) { (1112, "end") } else { (88, "start") };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-weight=\"700\"><rect width=\"1200\" height=\"630\" fill=\"#faf8f3\"/>\
         <rect width=\"1200\" height=\"14\" fill=\"#0d5c4d\"/><path transform=\"translate(82 486) scale(2.4)\" fill=\"#17856f\" fill-rule=\"evenodd\" \
         d=\"M2 2h20v20H2zm3.5 3.5v13h13v-13zM9.5 9.5h5v5h-5z\"/><text x=\"156\" y=\"528\" font-size=\"34\" fill=\"#1d1b18\">Townsquare</text>\
         <text x=\"1112\" y=\"528\" text-anchor=\"end\" font-size=\"30\" fill=\"#5c574f\">{}</text>",
        CARD_PIXELS.0,
        CARD_PIXELS.1,
        escaped(line)
    );
    for (place, row) in rows.iter().enumerate() {
        let y = 150 + place * step;
        let _ =
            write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"#1d1b18\">{}</text>", escaped(row));
    }
    svg + "</svg>"
}

/// A title in lines that fit: words as long as there is room, a word that is too long in pieces, and an ellipsis where four are not enough.
fn rows(title: &str) -> Vec<String> {
    const ROWS_MAX: usize = 4;
    // In halves of a letter: scripts of East Asia are as wide as they are high.
    let width = |c: char| {
        if c >= '\u{1100}' {
            4
        } else if c.is_uppercase() {
            3
        } else {
            2
        }
    };
    let wide = |text: &str| text.chars().map(width).sum::<usize>();
    let most = if wide(title) > 80 { 58 } else { 44 };
    let mut rows: Vec<String> = Vec::new();
    for word in title.split(' ') {
        match rows.last_mut() {
            Some(row) if wide(row) + 2 + wide(word) <= most => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) | None => {
                rows.push(String::new());
                for c in word.chars() {
                    if rows.last().is_some_and(|row| wide(row) + width(c) > most) {
                        rows.push(String::new());
                    }
                    if let Some(row) = rows.last_mut() {
                        row.push(c);
                    }
                }
            }
        }
    }
    if rows.len() > ROWS_MAX {
        rows.truncate(ROWS_MAX);
        if let Some(row) = rows.last_mut() {
            row.pop();
            row.push('…');
        }
    }
    rows
}

/// Whether the first letter that has a direction runs from right to left (Hebrew to Arabic Extended, and their presentation forms).
fn runs_left(text: &str) -> bool {
    text.chars()
        .find(|c| c.is_alphabetic())
        .is_some_and(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
