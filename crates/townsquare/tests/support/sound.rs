//! What is in some sound: tones, levels, gaps.

use std::f32::consts::TAU;

/// Samples a second of every sound here.
pub const RATE: usize = 48_000;

/// How strong a frequency is in some samples: the amplitude of its sine (Goertzel's algorithm).
pub fn amplitude(sound: &[f32], hertz: f32) -> f32 {
    let turn = TAU * hertz / RATE as f32;
    let (mut cosine, mut sine) = (0.0f32, 0.0f32);
    for (place, sample) in sound.iter().enumerate() {
        cosine += sample * (turn * place as f32).cos();
        sine += sample * (turn * place as f32).sin();
    }
    2.0 * cosine.hypot(sine) / sound.len().max(1) as f32
}

/// A sine of this frequency and amplitude.
pub fn tone(hertz: f32, amplitude: f32, samples: usize) -> Vec<f32> {
    (0..samples).map(|place| amplitude * (TAU * hertz * place as f32 / RATE as f32).sin()).collect()
}

/// The share of windows of 20 ms in which a frequency is at least this strong.
pub fn share_with(sound: &[f32], hertz: f32, least: f32) -> f32 {
    let windows: Vec<_> = sound.chunks_exact(RATE / 50).collect();
    let with = windows.iter().filter(|window| amplitude(window, hertz) >= least).count();
    with as f32 / windows.len().max(1) as f32
}

/// Raw signed 16-bit samples, as players write them.
pub fn from_s16le(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect()
}
