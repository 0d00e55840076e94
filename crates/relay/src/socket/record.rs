//! One record: sealed and opened (RFC 8446, section 5; RFC 5246, section 6.2.3.3 for TLS 1.2).

use super::keys::{Keys, NONCE_BYTES, Version};
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};

/// Bytes that one record carries at most.
pub(crate) const PLAIN_BYTES_MAX: usize = 16 * 1024;

/// Bytes by which a peer's record may be longer than what it carries.
const EXPANSION_BYTES_MAX: usize = 256;

pub(crate) const HEADER_BYTES: usize = 5;
const TAG_BYTES: usize = 16;
/// The part of a nonce that AES-GCM sends along in TLS 1.2.
const EXPLICIT_BYTES: usize = 8;

/// What a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Alert = 21,
    Handshake = 22,
    Data = 23,
}

impl Kind {
    fn of(byte: u8) -> Result<Self, Alert> {
        match byte {
            21 => Ok(Self::Alert),
            22 => Ok(Self::Handshake),
            23 => Ok(Self::Data),
            // A change of ciphers is over with the handshake.
            _ => Err(Alert::UnexpectedMessage),
        }
    }
}

/// What is said when a connection ends (RFC 8446, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alert {
    CloseNotify = 0,
    UnexpectedMessage = 10,
    BadRecordMac = 20,
    RecordOverflow = 22,
    IllegalParameter = 47,
    DecodeError = 50,
}

impl Alert {
    /// It as it is sent.
    pub(crate) fn message(self) -> [u8; 2] {
        const WARNING: u8 = 1;
        const FATAL: u8 = 2;
        [if self == Self::CloseNotify { WARNING } else { FATAL }, self as u8]
    }
}

/// Seals one record into a room of [`sealed_bytes`]. `aead` is that of the keys, whose sequence goes on.
pub(crate) fn seal(version: Version, keys: &mut Keys, aead: &LessSafeKey, kind: Kind, plain: &[u8], into: &mut [u8]) {
    debug_assert!(plain.len() <= PLAIN_BYTES_MAX, "what is sealed is cut into records before");
    let nonce = keys.nonce();
    let header = header(version, keys, kind, plain.len());
    let more = aad(keys.sequence, header[0], plain.len());
    let (front, mut rest) = into.split_at_mut(HEADER_BYTES);
    front.copy_from_slice(&header);
    // In TLS 1.3 the kind is sealed behind what it is the kind of.
    let (aad, behind) = match version {
        Version::Tls13 => (&header[..], &[kind as u8][..]),
        Version::Tls12 => (&more[..], &[][..]),
    };
    if version == Version::Tls12 && keys.salt().is_some() {
        let (explicit, sealed) = rest.split_at_mut(EXPLICIT_BYTES);
        explicit.copy_from_slice(&nonce[NONCE_BYTES - EXPLICIT_BYTES..]);
        rest = sealed;
    }
    let (sealed, tag) = rest.split_at_mut(plain.len());
    aead.seal_out_of_place_scatter(Nonce::assume_unique_for_key(nonce), Aad::from(aad), plain, sealed, behind, tag)
        .expect("a record in a room of its length, shorter than what a cipher takes");
    keys.sequence += 1;
}

/// Bytes of a record that carries so many.
pub(crate) fn sealed_bytes(version: Version, keys: &Keys, plain: usize) -> usize {
    HEADER_BYTES + body_bytes(version, keys, plain)
}

fn body_bytes(version: Version, keys: &Keys, plain: usize) -> usize {
    let more = match version {
        Version::Tls13 => 1,
        Version::Tls12 => keys.salt().map_or(0, |_| EXPLICIT_BYTES),
    };
    plain + more + TAG_BYTES
}

#[expect(clippy::cast_possible_truncation, reason = "a record is shorter than 2^15 bytes")]
fn header(version: Version, keys: &Keys, kind: Kind, plain: usize) -> [u8; HEADER_BYTES] {
    let outside = match version {
        Version::Tls13 => Kind::Data,
        Version::Tls12 => kind,
    };
    let [high, low] = (body_bytes(version, keys, plain) as u16).to_be_bytes();
    [outside as u8, 3, 3, high, low]
}

/// What TLS 1.2 authenticates besides.
#[expect(clippy::cast_possible_truncation, reason = "a record is shorter than 2^15 bytes")]
fn aad(sequence: u64, kind: u8, plain: usize) -> [u8; 13] {
    let mut aad = [0; 13];
    aad[..8].copy_from_slice(&sequence.to_be_bytes());
    aad[8..11].copy_from_slice(&[kind, 3, 3]);
    aad[11..].copy_from_slice(&(plain as u16).to_be_bytes());
    aad
}

/// Bytes of the record that begins here, header included, once its header is there.
pub(crate) fn length(version: Version, bytes: &[u8]) -> Result<Option<usize>, Alert> {
    let Some(&[kind, _, _, high, low]) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    // All of TLS 1.3 looks like data from outside.
    if Kind::of(kind)? != Kind::Data && version == Version::Tls13 {
        return Err(Alert::UnexpectedMessage);
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > PLAIN_BYTES_MAX + EXPANSION_BYTES_MAX { Err(Alert::RecordOverflow) } else { Ok(Some(HEADER_BYTES + length)) }
}

/// Opens one whole record where it lies. The keys' sequence goes on.
pub(crate) fn open<'a>(version: Version, keys: &mut Keys, record: &'a mut [u8]) -> Result<(Kind, &'a [u8]), Alert> {
    let (header, body) = record.split_first_chunk_mut::<HEADER_BYTES>().ok_or(Alert::DecodeError)?;
    let (kind, plain) = match version {
        Version::Tls13 => {
            let nonce = Nonce::assume_unique_for_key(keys.nonce());
            let inner = keys.aead().open_in_place(nonce, Aad::from(*header), body).map_err(|_| Alert::BadRecordMac)?;
            // Behind what it carries stand its kind and zeros, as many as the peer likes.
            let end = inner.iter().rposition(|&byte| byte != 0).ok_or(Alert::UnexpectedMessage)?;
            (Kind::of(inner[end])?, &inner[..end])
        }
        Version::Tls12 => {
            let mut nonce = keys.nonce();
            let mut sealed = body;
            if let Some(salt) = keys.salt() {
                let (explicit, rest) = sealed.split_first_chunk_mut::<EXPLICIT_BYTES>().ok_or(Alert::BadRecordMac)?;
                nonce[..salt.len()].copy_from_slice(&salt);
                nonce[salt.len()..].copy_from_slice(explicit);
                sealed = rest;
            }
            let plain = sealed.len().checked_sub(TAG_BYTES).ok_or(Alert::BadRecordMac)?;
            let aad = Aad::from(aad(keys.sequence, header[0], plain));
            let nonce = Nonce::assume_unique_for_key(nonce);
            (Kind::of(header[0])?, &*keys.aead().open_in_place(nonce, aad, sealed).map_err(|_| Alert::BadRecordMac)?)
        }
    };
    if plain.len() > PLAIN_BYTES_MAX {
        return Err(Alert::RecordOverflow);
    }
    keys.sequence += 1;
    Ok((kind, plain))
}
