//! What the kernel is told, and whether it is asked at all.

use super::*;

#[test]
fn it_is_used_when_the_kernel_has_it() {
    let found = is_here();
    let known = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_ulp").unwrap_or_default();
    assert_eq!(found, known.split_whitespace().any(|name| name == "tls"), "{known}");
}

#[test]
fn a_nonce_is_divided_as_the_kernel_has_it() {
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Chacha20Poly1305] {
        let keys = Keys::of_secret(cipher, &[7; 48][..if cipher == Cipher::Aes256Gcm { 48 } else { 32 }], 5);
        let nonce = keys.parts().2.to_vec();
        let (kernels, told) = match secrets(&keys) {
            Some(ConnectionTrafficSecrets::Aes128Gcm { iv, salt, .. }) => (Cipher::Aes128Gcm, [&salt[..], &iv].concat()),
            Some(ConnectionTrafficSecrets::Aes256Gcm { iv, salt, .. }) => (Cipher::Aes256Gcm, [&salt[..], &iv].concat()),
            Some(ConnectionTrafficSecrets::Chacha20Poly1305 { iv, .. }) => (Cipher::Chacha20Poly1305, iv.to_vec()),
            _ => panic!("{cipher:?} is none of the kernel's"),
        };
        assert_eq!((kernels, told), (cipher, nonce));
    }
}
