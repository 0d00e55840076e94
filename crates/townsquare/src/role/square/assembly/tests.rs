//! What the stage is told, and what it says.

use super::super::open;
use super::super::tests::Data;
use super::{due, listening, seats, tell_again};
use base::fact::Fact;
use base::{Rung, UnixMillis};
use square::assembly::Who;
use store::Standing;

const NOW: UnixMillis = UnixMillis(1_795_222_800_000);

#[test]
fn a_second_of_an_audience_is_told_whole() {
    let data = Data::new();
    let (event, _) = data.announce("Town meeting");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (_, outside) = open(&data.0).await.expect("opens");
        outside.store().mark_live(event, NOW).await.expect("live");
        let row = outside.store().event(event).await.expect("answers").expect("is there");
        listening(&outside, event, &[(Rung::R64, 30), (Rung::R16, 10)]);
        square::hand::raise(outside.store(), &row, 9, None, "Bo", "Trees", NOW).await.expect("raised");
        outside.assembly().hands_changed(event);
        let who = Who { ticket: Some(9), is_member: false, address: None };
        outside.assembly().react(event, who, 0, 50, NOW).expect("counts");
        let facts = due(&outside).await;
        let [Fact::Reacted { counts, .. }, Fact::Hands { hands, .. }] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!(counts, &[(0, 2)], "forty listeners bear out two");
        assert_eq!(hands.iter().map(|hand| (hand.id, hand.name.as_str())).collect::<Vec<_>>(), [(9, "Bo")]);
        assert!(due(&outside).await.is_empty());

        seats(&outside, event, &[9], &[]).await.expect("noted");
        let hand = outside.store().hand(event, 9).await.expect("answers").expect("is there");
        assert_eq!(hand.standing, Standing::Admitted);
        assert!(matches!(due(&outside).await.as_slice(), [Fact::Hands { hands, .. }] if hands.is_empty()));
        // Said again by a stage that came back, it takes no hand that was raised anew.
        square::hand::raise(outside.store(), &row, 9, None, "Bo", "Roads", NOW).await.expect("raised");
        seats(&outside, event, &[9], &[]).await.expect("noted");
        assert_eq!(outside.store().hands_waiting(event).await.expect("answers").len(), 1);

        tell_again(&outside).await.expect("told");
        assert!(matches!(due(&outside).await.as_slice(), [Fact::Hands { .. }, Fact::Board { poll: None, .. }]));
        outside.store().close().await;
    });
}
