//! Framed records of the journal and the cuts: `length u32`, `crc32 u32` of the payload, payload. A torn tail ends them.

/// Bytes before the payload.
const HEAD_BYTES: usize = 8;

/// More than any record of ours: a longer one is damage.
const PAYLOAD_BYTES_MAX: usize = 1 << 16;

/// One record as it is appended.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_BYTES_MAX).expect("a record is small");
    [&length.to_le_bytes()[..], &crc32fast::hash(payload).to_le_bytes(), payload].concat()
}

/// Reads records until one does not check or `read` refuses one; gives what was read and the bytes it took.
pub(crate) fn read_all<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> (Vec<T>, usize) {
    let mut taken = 0;
    let mut records = Vec::new();
    while let Some((payload, length)) = first(&bytes[taken..])
        && let Some(record) = read(payload)
    {
        records.push(record);
        taken += length;
    }
    (records, taken)
}

fn first(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let head = bytes.first_chunk::<HEAD_BYTES>()?;
    let [a, b, c, d, crc @ ..] = *head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok().filter(|&length| length <= PAYLOAD_BYTES_MAX)?;
    let payload = bytes.get(HEAD_BYTES..HEAD_BYTES + length)?;
    (crc32fast::hash(payload) == u32::from_le_bytes(crc)).then_some((payload, HEAD_BYTES + length))
}
