use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_event_id_survives_its_text_and_its_number(random: u64) {
        let id = EventId::from_random(random);
        prop_assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
        prop_assert_eq!(EventId::from_i64(id.to_i64()), Some(id));
    }

    #[test]
    fn any_text_is_an_id_or_an_error(text: String) {
        if let Ok(id) = text.parse::<EventId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

#[test]
fn what_is_no_id_is_refused() {
    for text in ["", "0123", "0123456789ail", "ABCDEFGHJKMN", "../../../etc", "00000000000u"] {
        assert_eq!(text.parse::<EventId>(), Err(NoEventId), "{text:?}");
    }
}
