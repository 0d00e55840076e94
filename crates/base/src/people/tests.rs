//! Who is the same person, and who only has the same link or the same name.

use super::*;
use crate::journal::Role;

/// Who joined with which number, ticket and name; the person behind each number afterwards.
#[track_caller]
fn check(joined: &[(u16, u64, &str)], want: &[(u16, &str)]) {
    let mut people = People::default();
    for (number, ticket, name) in joined {
        let (participant, key, name) = (ParticipantId(*number), String::new(), (*name).to_owned());
        people.note(&What::Joined { participant, key, name, role: Role::Speaker, ticket: *ticket, backstage: false });
    }
    let found: Vec<_> = joined.iter().map(|(number, ..)| ParticipantId(*number)).collect();
    let found: Vec<_> = found.into_iter().map(|number| (people.person(number).0, people.name(number))).collect();
    assert_eq!(found, want, "{joined:?}");
}

#[test]
fn a_ticket_and_a_name_make_a_person() {
    check(&[(1, 7, "Ada"), (2, 7, "Ada")], &[(1, "Ada"), (1, "Ada")]);
    check(&[(1, 7, "Ada"), (2, 7, "Eve")], &[(1, "Ada"), (2, "Eve")]);
    check(&[(1, 7, "Ada"), (2, 8, "Ada")], &[(1, "Ada"), (2, "Ada")]);
    check(&[(1, 0, "Ada"), (2, 0, "Ada")], &[(1, "Ada"), (2, "Ada")]);
    // The same number is the same person, whatever they call themselves now.
    check(&[(1, 7, "Ada"), (1, 7, "Ada L"), (2, 7, "Ada L"), (3, 7, "Ada")], &[(1, "Ada L"), (1, "Ada L"), (1, "Ada L"), (3, "Ada")]);
}

#[test]
fn who_takes_another_name_is_nobody_else() {
    let mut people = People::default();
    let join = |participant, name: &str| What::Joined {
        participant: ParticipantId(participant),
        key: String::new(),
        name: name.to_owned(),
        role: Role::Speaker,
        ticket: 7,
        backstage: false,
    };
    people.note(&join(1, "Ada"));
    people.note(&join(2, "Eve"));
    people.note(&What::Renamed { participant: ParticipantId(2), name: "Ada".into() });
    assert_eq!((people.person(ParticipantId(2)).0, people.name(ParticipantId(2))), (2, "Ada"));
    people.note(&What::Renamed { participant: ParticipantId(1), name: "Bea".into() });
    people.note(&join(3, "Bea"));
    assert_eq!((people.person(ParticipantId(3)).0, people.name(ParticipantId(1))), (1, "Bea"));
    assert_eq!((people.person(ParticipantId(9)).0, people.name(ParticipantId(9))), (9, ""), "nobody knows them");
}
