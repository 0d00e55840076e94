//! Secrets.

use super::Secret;

#[test]
fn a_secret_reads_back_and_hides() {
    let secret = Secret::new(&[7; 32]);
    assert_eq!(Secret::read(secret.text()), Some(secret.clone()));
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_ne!(secret.hash(), Secret::new(&[8; 32]).hash());
    for text in ["", "x", "AAAA", &"A".repeat(44), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHB/c"] {
        assert_eq!(Secret::read(text), None, "{text:?}");
    }
}

#[test]
fn a_form_word_belongs_to_one_session() {
    let (mine, yours) = (Secret::new(&[7; 32]), Secret::new(&[8; 32]));
    assert!(mine.is_form_word(&mine.form_word()));
    for word in ["", &yours.form_word(), mine.text()] {
        assert!(!mine.is_form_word(word), "{word:?}");
    }
}
