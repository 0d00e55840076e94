//! Bans on both engines.

use super::Bearer::{Account, Browser};
use crate::testing::{event, on_both};
use base::{UnixMillis, Visibility};

#[test]
fn a_ban_is_one_of_everybody_who_came_with_the_ticket() {
    on_both(|store| async move {
        let (town, other) = (event(1, Visibility::Public, 1), event(2, Visibility::Public, 1));
        for event in [&town, &other] {
            store.insert_event(event).await.expect("free");
        }
        // An invite that an account opened in one browser; the account raised its hand in another, in which a second invite was opened.
        let (invite, account, browser, elsewhere, second) = (u64::MAX, 10, 20, 30, 40);
        for (ticket, bearer) in
            [(invite, Account(account)), (invite, Browser(browser)), (account, Browser(elsewhere)), (second, Browser(elsewhere))]
        {
            store.note_bearer(town.id, ticket, bearer, UnixMillis(1), 9).await.expect("noted");
        }
        assert_eq!(store.ban(town.id, &[]).await.expect("answers"), []);
        for _ in 0..2 {
            assert_eq!(store.ban(town.id, &[invite]).await.expect("answers"), [account, browser, elsewhere, invite]);
        }
        for (numbers, is_banned) in [
            ([Some(elsewhere), None, None], true),
            ([None, Some(5), Some(invite)], true),
            ([None, None, Some(second)], false),
            ([None; 3], false),
        ] {
            assert_eq!(store.is_banned(town.id, numbers).await.expect("answers"), is_banned, "{numbers:?}");
        }
        assert!(!store.is_banned(other.id, [Some(invite), None, None]).await.expect("answers"), "from one event");
    });
}

#[test]
fn of_one_ticket_the_first_accounts_and_the_first_browsers_are_kept() {
    on_both(|store| async move {
        let town = event(1, Visibility::Public, 1);
        store.insert_event(&town).await.expect("free");
        let came = [Browser(11), Browser(12), Browser(13), Browser(11), Account(21), Browser(14), Account(22), Account(23)];
        for (at, bearer) in (1..).zip(came) {
            store.note_bearer(town.id, 7, bearer, UnixMillis(at), 2).await.expect("noted");
        }
        assert_eq!(store.ban(town.id, &[7]).await.expect("answers"), [7, 11, 12, 21, 22]);
    });
}
