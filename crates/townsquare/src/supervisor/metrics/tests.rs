use super::*;
use crate::link::RoleName;

const fn relay(index: u32) -> RoleId {
    RoleId { role: RoleName::Relay, index }
}

#[test]
fn families_stand_together_with_the_labels_of_their_roles() {
    let one = "# HELP a_total What.\n# TYPE a_total counter\na_total 1\na_total{rung=\"64\"} 2\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_count 3\n";
    let two = "# HELP a_total What.\n# TYPE a_total counter\na_total{} 5\nbare 7\n";
    let joined = join(&[(relay(0), one.into()), (relay(1), two.into())]);
    let expected = "# HELP a_total What.\n# TYPE a_total counter\n\
        a_total{role=\"relay\",index=\"0\"} 1\n\
        a_total{role=\"relay\",index=\"0\",rung=\"64\"} 2\n\
        a_total{role=\"relay\",index=\"1\"} 5\n\
        bare{role=\"relay\",index=\"1\"} 7\n\
        # TYPE h histogram\n\
        h_bucket{role=\"relay\",index=\"0\",le=\"1\"} 3\n\
        h_count{role=\"relay\",index=\"0\"} 3\n";
    assert_eq!(joined, expected);
}

#[test]
fn a_worker_says_how_full_it_is() {
    for (text, expected) in [
        ("townsquare_relay_descriptors_used 90\ntownsquare_relay_descriptors_limit 100\n", Some(90)),
        ("# TYPE x gauge\ntownsquare_relay_descriptors_used 5\n", None),
        ("townsquare_relay_descriptors_used 5\ntownsquare_relay_descriptors_limit 0\n", None),
        ("", None),
    ] {
        assert_eq!(filled_percent(text), expected, "{text}");
    }
}
