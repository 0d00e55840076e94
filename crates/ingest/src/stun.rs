//! To whom a datagram belongs when its sender's address is not known yet (RFC 8489).
//!
//! A binding request carries `USERNAME` = "the receiver's ufrag:the sender's ufrag", so the receiver's ufrag names the session. Whether
//! the request is genuine is for [`crate::Session::accepts`] to say.

/// `a=ice-ufrag` may have up to 256 characters (RFC 8839), so the user name has up to 513 (RFC 8445).
const USERNAME_BYTES_MAX: usize = 513;

const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: [u8; 2] = [0x00, 0x06];

/// Whether these bytes are a STUN message rather than DTLS, RTP or RTCP (RFC 7983).
#[must_use]
pub fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER_BYTES && bytes[0] < 4 && bytes[4..8] == MAGIC_COOKIE
}

/// The receiver's ufrag in a STUN binding request; `None` when it is none or not well-formed.
#[must_use]
pub fn username_ufrag(bytes: &[u8]) -> Option<&str> {
    if !is_stun(bytes) || bytes[..2] != BINDING_REQUEST {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    let mut attributes = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
    while let [kind_high, kind_low, length_high, length_low, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = rest.get(..length)?;
        if [*kind_high, *kind_low] == USERNAME {
            let name = std::str::from_utf8(value).ok().filter(|name| name.len() <= USERNAME_BYTES_MAX)?;
            return name.split_once(':').map(|(ours, _)| ours).filter(|ours| !ours.is_empty());
        }
        // Values are padded to four bytes; the last one's padding may be missing.
        attributes = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    None
}

#[cfg(test)]
mod tests;
