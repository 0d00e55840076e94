//! What is kept of an upload, and what a card looks like to a program.

use super::{card_of_picture, card_of_words, redrawn, rows};
use base::FaultKind;
use base::limit::{CARD_PIXELS, PICTURE_SIDE_PIXELS_MAX};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ImageEncoder as _, Rgba, RgbaImage};

/// Red on the left, blue on the right, a corner that can be seen through.
fn picture(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| match (x, y) {
        (x, y) if x < width / 8 && y < height / 8 => Rgba([0, 0, 0, 0]),
        (x, _) if x < width / 2 => Rgba([255, 0, 0, 255]),
        _ => Rgba([0, 0, 255, 255]),
    })
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut bytes)).expect("encoded");
    bytes
}

fn is_near(pixel: [u8; 3], wanted: [u8; 3]) -> bool {
    pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40)
}

#[test]
fn pictures_are_drawn_anew_and_small_enough() {
    let mut webp = Vec::new();
    picture(64, 64).write_with_encoder(WebPEncoder::new_lossless(&mut webp)).expect("encoded");
    for (bytes, size) in [(png(&picture(64, 32)), (64, 32)), (webp, (64, 64)), (png(&picture(3_200, 800)), (PICTURE_SIDE_PIXELS_MAX, 400))]
    {
        let kept = image::load_from_memory(&redrawn(&bytes).expect("a picture")).expect("a JPEG").to_rgb8();
        assert_eq!(kept.dimensions(), size);
        let at = |x: u32, y: u32| kept.get_pixel(x, y).0;
        assert!(is_near(at(1, 1), [255, 255, 255]), "what can be seen through is white");
        assert!(is_near(at(size.0 / 4, size.1 - 4), [255, 0, 0]) && is_near(at(size.0 - 8, size.1 - 4), [0, 0, 255]));
    }
}

#[test]
fn what_a_camera_wrote_goes_and_its_way_up_is_kept() {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new(&mut jpeg);
    // EXIF, big-endian: one directory with the orientation (0x0112) 6, a quarter turn clockwise; behind it what a camera tells of its owner.
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"51.5N 0.1W");
    encoder.set_exif_metadata(exif).expect("taken");
    encoder.encode_image(&image::DynamicImage::from(picture(64, 32)).to_rgb8()).expect("encoded");
    assert!(jpeg.windows(10).any(|bytes| bytes == b"51.5N 0.1W"));
    let kept = redrawn(&jpeg).expect("a picture");
    assert!(!kept.windows(4).any(|bytes| bytes == b"Exif" || bytes == b"51.5"));
    let seen = image::load_from_memory(&kept).expect("a JPEG").to_rgb8();
    assert_eq!(seen.dimensions(), (32, 64));
    assert!(is_near(seen.get_pixel(16, 56).0, [0, 0, 255]), "what was right is below");
}

#[test]
fn what_is_no_picture_is_refused() {
    let whole = png(&picture(64, 32));
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;".to_vec();
    let huge = {
        // A header that promises what no memory holds.
        let mut bytes = whole.clone();
        bytes[16..20].copy_from_slice(&100_000u32.to_be_bytes());
        bytes
    };
    for bytes in [Vec::new(), b"<svg/>".to_vec(), gif, whole[..60].to_vec(), huge] {
        assert_eq!(redrawn(&bytes).map(drop), Err(FaultKind::PictureUnusable));
    }
}

#[test]
fn cards_have_one_size_and_show_something() {
    let of_picture = card_of_picture(&redrawn(&png(&picture(640, 640))).expect("a picture")).expect("a card");
    assert!(is_near(image::load_from_memory(&of_picture).expect("a PNG").to_rgb8().get_pixel(100, 600).0, [255, 0, 0]));
    for title in ["Town meeting", "اجتماع البلدة", "a < b & c", &"W".repeat(120), ""] {
        let card = image::load_from_memory(&card_of_words(title, "21 November 2026, 18:00 UTC").expect("a card")).expect("a PNG");
        assert_eq!((card.width(), card.height()), CARD_PIXELS);
        let dark = |from: u32, to: u32| card.to_rgb8().enumerate_pixels().any(|(_, y, pixel)| (from..to).contains(&y) && pixel.0[0] < 60);
        assert!(dark(500, 540), "the name of the square");
        assert_eq!(dark(80, 440), !title.is_empty(), "{title}");
    }
}

#[test]
fn titles_fit_their_lines() {
    assert_eq!(rows("Town meeting"), ["Town meeting"]);
    let long =
        rows("The bridge, the school, the water and everything else that the council of this town will have to decide before summer");
    assert!(long.len() <= 4 && long.iter().all(|row| row.chars().count() <= 29), "{long:?}");
    let endless = rows(&"W".repeat(120));
    assert!(endless.len() == 4 && endless[3].ends_with('…'), "{endless:?}");
}
