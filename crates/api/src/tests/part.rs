//! What an audience takes part in, by forms and as JSON.

use crate::testing::{NOW, Town, path_of};
use base::EventId;
use base::limit::{HANDS_WAITING_PER_ADDRESS_MAX, REACTIONS_PER_VISITOR_SECOND_MAX};
use gate::Keys;
use gate::ticket::{Class, verify};
use serde_json::json;
use store::Standing;
use store::testing::on_both;

const JSON: (&str, &str) = ("content-type", "application/json");

/// The number of a ticket in a link or by itself.
fn number_of(link: &serde_json::Value) -> u64 {
    verify(&Keys::new([42; 32]), &ticket_of(link), NOW).expect("signed").id
}

/// An event that anybody may take part in, and where its API is.
async fn event(town: &Town, visibility: &str) -> (EventId, String, serde_json::Value) {
    let event = town.announce("Town meeting", visibility).await;
    let id = event["id"].as_str().expect("an id").to_owned();
    (id.parse().expect("an id"), format!("/api/townsquare/v1/events/{id}"), event)
}

fn ticket_of(link: &serde_json::Value) -> String {
    link.as_str().and_then(|link| link.rsplit('/').next()).expect("a link").to_owned()
}

#[test]
fn a_hand_is_raised_by_a_form_and_goes_on_stage_once_it_is_admitted() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, _, _) = event(&town, "public").await;
        let path = format!("/events/{id}");
        let raised = town.submit(&format!("{path}/hand"), "", "name=Bo&topic=Trees+%3Cb%3E").await;
        assert_eq!((raised.status, raised.header("location")), (303, format!("{path}#part").as_str()));
        let bo = raised.cookie();
        let page = town.get(&path, &bo).await;
        assert!(
            page.text().contains("You are number <span class=\"place\">1</span> in the queue.")
                && page.text().contains("Trees &#60;b&#62;"),
            "{}",
            page.text()
        );
        assert!(!page.text().contains("id=\"hand-topic\""), "one hand each");
        let due = town.app.assembly().due();
        assert_eq!(due.iter().map(|due| (due.event, due.hands)).collect::<Vec<_>>(), [(id, true)]);
        let hand = town.store.hands_waiting(id).await.expect("answers").remove(0);
        let vote = format!("{path}/hand/{:016x}/vote", hand.ticket);
        assert_eq!(town.submit(&vote, &bo, "").await.status, 403, "nobody votes for their own");
        let ada = town.submit(&vote, "", "").await;
        assert_eq!((ada.status, ada.text().contains("Send it again")), (403, true), "whom nobody has seen before has no vote");
        for _ in 0..2 {
            assert_eq!(town.submit(&vote, &ada.cookie(), "").await.status, 303);
        }
        assert_eq!(town.store.hand(id, hand.ticket).await.expect("answers").expect("is there").votes, 1, "once");

        town.store.settle_hand(id, hand.ticket, Standing::Admitted).await.expect("answers");
        let page = town.get(&path, &bo).await;
        let (_, stage) = page.text().split_once("href=\"/stage/").expect("the way on stage");
        let ticket = stage.split('"').next().expect("its end");
        let claims = verify(&Keys::new([42; 32]), ticket, NOW).expect("signed");
        assert_eq!((claims.class, claims.id), (Class::Listener, hand.ticket));
        assert!(town.get(&format!("/stage/{ticket}"), "").await.text().contains("as=\"guest\""));
        town.store.ban(id, &[hand.ticket]).await.expect("noted");
        assert_eq!(town.get(&format!("/stage/{ticket}"), "").await.status, 403);
    });
}

#[test]
fn programs_do_the_same() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, _) = event(&town, "public").await;
        let post = async |path: &str, headers: &[(&'static str, &str)], body: serde_json::Value| {
            town.ask(&format!("POST {api}/{path}"), &[headers, &[JSON]].concat(), &body.to_string()).await
        };
        let raised = post("hand", &[], json!({"name": "Bo", "topic": "Trees"})).await;
        assert_eq!(raised.status, 200, "{raised:?}");
        let (bo, said) = (raised.cookie(), raised.json());
        assert_eq!((&said["standing"], &said["place"]), (&json!("waiting"), &json!(1)));
        assert!(said["stage"].as_str().is_some_and(|stage| stage.ends_with(said["ticket"].as_str().expect("a ticket"))));
        let hand = said["id"].as_str().expect("an id").to_owned();
        let shown = town.ask(&format!("GET {api}/hand/{hand}"), &[("cookie", &bo)], "").await;
        assert_eq!(shown.json(), json!({"standing": "waiting", "place": 1}));
        assert_eq!(town.ask(&format!("GET {api}/hand/{hand}"), &[], "").await.status, 404, "it is Bo's alone");
        let by_ticket = format!("Bearer {}", said["ticket"].as_str().expect("a ticket"));
        let shown = town.ask(&format!("GET {api}/hand/{hand}"), &[("authorization", &by_ticket)], "").await;
        assert_eq!(shown.status, 200, "who shows the hand's own ticket is its owner");
        let ada = town.ask(&format!("GET {api}/board"), &[], "").await.cookie();
        let ada = [("cookie", ada.as_str())];
        assert_eq!(post(&format!("hand/{hand}/vote"), &ada, json!({})).await.status, 204);
        assert_eq!(post("questions", &[], json!({"text": "Why?"})).await.json(), json!({"id": 1}));
        assert_eq!(post("questions/1/vote", &ada, json!({})).await.status, 204);
        let board = town.ask(&format!("GET {api}/board"), &[], "").await.json();
        assert_eq!(board["hands"], json!([{"id": hand, "name": "Bo", "topic": "Trees", "votes": 1, "spoke": false}]));
        assert_eq!(board["questions"], json!([{"id": 1, "name": "", "text": "Why?", "votes": 1}]));
        let down = town.ask(&format!("DELETE {api}/hand/{hand}"), &[("cookie", &bo)], "").await;
        assert_eq!((down.status, town.store.hands_waiting(id).await.expect("answers").len()), (204, 0));
    });
}

#[test]
fn reactions_are_added_up_and_not_too_often() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, _) = event(&town, "public").await;
        let keeps = town.submit(&format!("/events/{id}/questions"), "", "text=Why").await.cookie();
        let _ = town.app.assembly().due();
        let rows = [
            (json!({"kind": 0}), 204),
            (json!({"kind": "fire", "of": 1_000_000}), 204),
            (json!({"kind": 8}), 400),
            (json!({"kind": "boo"}), 400),
            (json!({"kind": 0, "colour": 1}), 400),
            (json!({}), 400),
            (json!({"kind": 0}), 204),
        ];
        for (body, status) in rows {
            let answer = town.ask(&format!("POST {api}/reactions"), &[JSON, ("cookie", &keeps)], &body.to_string()).await;
            assert_eq!(answer.status, status, "{body}");
        }
        let answer = town.ask(&format!("POST {api}/reactions"), &[JSON, ("cookie", &keeps)], "{\"kind\":0}").await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (429, Some("too-many-requests")));
        let due = town.app.assembly().due();
        assert_eq!(due.iter().map(|due| due.reactions.as_slice()).collect::<Vec<_>>(), [[(0, 2), (7, 1)]]);
        town.operate(&format!("POST {api}/end"), "").await;
        assert_eq!(town.ask(&format!("POST {api}/reactions"), &[JSON], "{\"kind\":0}").await.status, 410);
    });
}

#[test]
fn who_runs_the_event_holds_polls_and_pins() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, links) = event(&town, "public").await;
        let (host, speaker) = (ticket_of(&links["stage"]), ticket_of(&links["speakers"]));
        let (host, speaker) = (format!("Bearer {host}"), format!("Bearer {speaker}"));
        let ada = town.administrator().await;
        let ben = town.get(&format!("/events/{id}"), "").await.cookie();
        let ask = async |line: &str, bearer: &str, body: &str| {
            let bearer = Some(("authorization", bearer)).filter(|_| !bearer.is_empty());
            town.ask(&line.replace(' ', &format!(" {api}/")), &[&[JSON, ("cookie", &ben)], bearer.as_slice()].concat(), body).await
        };
        let poll = json!({"question": "So?", "answers": ["Yes", "No"]}).to_string();
        let rows = [
            ("POST polls", "", poll.as_str(), 401, "not-signed-in"),
            ("POST polls", speaker.as_str(), &poll, 401, "not-signed-in"),
            ("POST polls", "Bearer forged", &poll, 401, "bad-ticket"),
            ("POST polls", &host, "{\"question\":\"So?\",\"answers\":[\"Yes\"]}", 422, "poll-answers"),
            ("POST polls", &host, &poll, 201, ""),
            ("POST polls", &host, &poll, 409, "poll-open"),
            ("POST polls/1/vote", "", "{\"answer\":1}", 204, ""),
            ("POST polls/1/vote", "", "{\"answer\":2}", 400, "bad-request"),
            ("POST polls/2/vote", "", "{\"answer\":0}", 409, "poll-closed"),
            ("POST polls/1/close", "", "", 401, "not-signed-in"),
            ("POST polls/1/close", &host, "", 204, ""),
            ("POST pins", &host, "{\"text\":\"Agenda\",\"url\":\"javascript:alert(1)\"}", 422, "pin-address"),
            ("POST pins", &host, "{\"text\":\"Agenda\",\"url\":\"https://a.example/\"}", 201, ""),
            ("DELETE pins/1", "", "", 401, "not-signed-in"),
            ("DELETE questions/1", &host, "", 404, "not-found"),
        ];
        for (line, bearer, body, status, code) in rows {
            let answer = ask(line, bearer, body).await;
            assert_eq!(answer.status, status, "{line} {bearer} {body}: {}", answer.text());
            assert!(code.is_empty() || answer.json()["code"] == code, "{line}: {}", answer.text());
        }
        let page = town.get(&format!("/events/{id}"), "").await;
        assert!(page.text().contains("<a href=\"https://a.example/\" rel=\"nofollow noopener noreferrer\""), "{}", page.text());
        assert!(page.text().contains("Closed.") && page.text().contains("100 %"), "{}", page.text());
        assert!(!page.text().contains("Take down"), "for who runs it alone");
        let own = town.get(&format!("/events/{id}"), &ada).await;
        let taken = town.submit(&format!("/events/{id}/pins/1/take"), &ada, &format!("csrf={}", own.word())).await;
        assert_eq!((taken.status, town.store.pins(id).await.expect("answers").len()), (303, 0));
        assert_eq!(town.submit(&format!("/events/{id}/pins"), &ada, "text=A").await.status, 403, "without the session's word");
    });
}

#[test]
fn a_private_event_asks_for_a_ticket_and_a_ban_holds() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, links) = event(&town, "private").await;
        let page = path_of(links["page"].as_str().expect("a page"));
        let shared = page.rsplit('/').next().expect("a ticket").to_owned();
        let form = format!("ticket={shared}&name=Bo&topic=Trees");
        assert_eq!(town.submit(&format!("/events/{id}/hand"), "", "name=Bo&topic=Trees").await.status, 404);
        let raised = town.submit(&format!("/events/{id}/hand"), "", &form).await;
        assert_eq!((raised.status, raised.header("location")), (303, format!("{page}#part").as_str()));
        let bo = raised.cookie();
        let hand = town.store.hands_waiting(id).await.expect("answers").remove(0).ticket;
        assert_eq!(town.get(&page, &bo).await.status, 200);
        town.store.ban(id, &[hand]).await.expect("noted");
        let refused = town.get(&page, &bo).await;
        assert_eq!((refused.status, refused.text().contains("A host has excluded you")), (403, true));
        let asked = town.submit(&format!("/events/{id}/questions"), &bo, &format!("ticket={shared}&text=Why")).await;
        assert_eq!(asked.status, 403);
        let react = [JSON, ("cookie", bo.as_str()), ("authorization", &format!("Bearer {shared}"))];
        assert_eq!(town.ask(&format!("POST {api}/reactions"), &react, "{\"kind\":0}").await.status, 403);

        let (open, _, _) = event(&town, "public").await;
        let bo = town.submit(&format!("/events/{open}/questions"), "", "text=Why").await.cookie();
        let _ = town.submit(&format!("/events/{open}/hand"), &bo, "name=Bo&topic=Trees").await;
        let hand = town.store.hands_waiting(open).await.expect("answers").remove(0).ticket;
        town.store.ban(open, &[hand]).await.expect("noted");
        let shown = town.get(&format!("/events/{open}"), &bo).await;
        assert!(shown.status == 200 && shown.text().contains("nobody can keep you from hearing it"), "{}", shown.text());
        assert_eq!(town.submit(&format!("/events/{open}/hand"), &bo, "name=Bo&topic=Trees").await.status, 403);
        // They sign in where they were barred, and come again elsewhere: an account is no way round.
        let member = super::announcement::member(&town, "bo").await;
        let asks = async |cookies: &str| {
            let headers = [JSON, ("cookie", cookies)];
            town.ask(&format!("GET /events/{open}"), &headers, "").await.text().contains("nobody can keep you from hearing it")
        };
        assert!(!asks(&member).await && town.stagehand.barred.lock().expect("whole").is_empty(), "nobody knows them");
        assert!(asks(&format!("{member}; {bo}")).await);
        let barred = town.stagehand.barred.lock().expect("whole").clone();
        town.store.ban(open, &barred).await.expect("noted");
        assert!(asks(&member).await && asks(&format!("{member}; {bo}")).await);
        assert_eq!(town.stagehand.barred.lock().expect("whole").len(), 1, "told once");
    });
}

#[test]
fn a_flood_from_one_machine_is_refused_and_a_lecture_hall_votes() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, links) = event(&town, "public").await;
        let host = format!("Bearer {}", ticket_of(&links["stage"]));
        let poll = json!({"question": "So?", "answers": ["Yes", "No"]}).to_string();
        town.ask(&format!("POST {api}/polls"), &[JSON, ("authorization", &host)], &poll).await;
        let from = async |address: &str, path: &str, cookie: &str, body: &str| {
            town.ask_from(address, &format!("POST {api}/{path}"), &[JSON, ("cookie", cookie)], body).await
        };
        let hand = "{\"name\":\"Eve\",\"topic\":\"Me\"}";
        let mut raised = Vec::new();
        // One machine: nobody before each request, as far as it says.
        for _ in 0..100 {
            raised.push(from("192.0.2.9", "hand", "", hand).await);
        }
        let waiting = town.store.hands_waiting(id).await.expect("answers");
        assert_eq!(waiting.len(), HANDS_WAITING_PER_ADDRESS_MAX, "a part of the queue");
        let refused = raised.last().expect("a hundred");
        assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
        assert!(raised.iter().any(|answer| answer.text().contains("hands-of-network-full")));
        assert_eq!(from("192.0.2.10", "hand", "", hand).await.status, 200, "there is room for others");
        // A proxy on the machine adds a line behind those that a client makes up.
        for one in 0..100 {
            let made_up = format!("198.51.100.{one}");
            let headers = [JSON, ("x-forwarded-for", made_up.as_str()), ("x-forwarded-for", "192.0.2.9")];
            assert_eq!(town.ask_from("127.0.0.1", &format!("POST {api}/hand"), &headers, hand).await.status, 429, "{one}");
        }
        let vote = format!("hand/{:016x}/vote", waiting[0].ticket);
        let made_up = format!("townsquare-visitor={}", square::Secret::new(&[9; 32]).text());
        for cookie in ["", &made_up] {
            let answer = from("192.0.2.11", &vote, cookie, "{}").await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("visitor-unknown")), "{cookie}");
        }
        assert_eq!(town.store.hand(id, waiting[0].ticket).await.expect("answers").expect("is there").votes, 0);
        for _ in 0..REACTIONS_PER_VISITOR_SECOND_MAX {
            assert_eq!(from("192.0.2.12", "reactions", "", "{\"kind\":0}").await.status, 204);
        }
        let refused = from("192.0.2.12", "reactions", "", "{\"kind\":0}").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));

        // A lecture hall behind one address: each has loaded the page.
        for _ in 0..200 {
            let page = town.ask_from("192.0.2.1", &format!("GET /events/{id}"), &[("accept", "text/html")], "").await;
            assert_eq!(from("192.0.2.1", "polls/1/vote", &page.cookie(), "{\"answer\":0}").await.status, 204);
        }
        let poll = town.store.newest_poll(id).await.expect("answers").expect("a poll");
        assert_eq!(poll.votes, [200, 0]);
        let page = town.get(&format!("/events/{id}"), "").await;
        assert!(page.text().contains("data-votes=\"200\""), "{}", page.text());
    });
}

#[test]
fn a_ban_means_who_came_and_not_who_opened_a_page() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, links) = event(&town, "public").await;
        let opened = async |ticket: &str, cookie: &str| {
            town.ask(&format!("GET /stage/{ticket}"), &[("accept", "application/json"), ("cookie", cookie)], "").await
        };
        let mia = super::announcement::member(&town, "mia").await;
        let ivy = town.get(&format!("/events/{id}"), "").await.cookie();
        // A troll says where their hand's page is.
        let raised = town.ask(&format!("POST {api}/hand"), &[JSON], "{\"name\":\"Eve\",\"topic\":\"Me\"}").await;
        let (eve, own) = (raised.cookie(), ticket_of(&raised.json()["stage"]));
        for cookie in [&mia, &ivy, &eve, ""] {
            assert_eq!(opened(&own, cookie).await.status, 200);
        }
        let hand = number_of(&json!(own));
        assert_eq!(town.store.ban(id, &[hand]).await.expect("noted"), [hand]);
        assert_eq!((opened(&own, &eve).await.status, opened(&own, &mia).await.status), (403, 403), "the ticket itself");
        for cookie in [&mia, &ivy] {
            assert_eq!(town.ask(&format!("GET {api}/board"), &[("cookie", cookie)], "").await.status, 200, "who only looked takes part");
        }
        // So with what the speakers' link made for somebody.
        let shared = ticket_of(&links["speakers"]);
        let [mias, ivys] = [opened(&shared, &mia).await, opened(&shared, &ivy).await].map(|answer| answer.json()["token"].clone());
        assert_eq!(opened(&ticket_of(&ivys), &eve).await.status, 403, "who is barred");
        assert_eq!(opened(&ticket_of(&ivys), &mia).await.status, 200);
        // What a host gave to somebody names whoever comes with it: here two browsers, and an account in one of them.
        let invites = format!("POST /api/townsquare/v1/events/{id}/invites");
        let invite = town.operate(&invites, "{\"name\":\"Grace\"}").await.json()["link"].clone();
        let (invite, invited) = (ticket_of(&invite), number_of(&invite));
        let browser = town.get(&format!("/events/{id}"), "").await.cookie();
        let came = format!("{mia}; {browser}");
        for cookie in [ivy.as_str(), &came] {
            assert_eq!(opened(&invite, cookie).await.json()["token"], json!(invite));
        }
        assert_eq!(town.store.ban(id, &[number_of(&ivys)]).await.expect("noted").len(), 2, "her alone");
        let all = town.store.ban(id, &[invited]).await.expect("noted");
        for number in [hand, invited, number_of(&ivys), number_of(&mias)] {
            assert!(all.contains(&number), "{number} in {all:?}");
        }
        assert_eq!(all.len(), 6, "and both browsers with the account");
        assert_eq!([opened(&shared, &mia).await.status, opened(&shared, &browser).await.status], [403, 403]);
    });
}

#[test]
fn a_host_s_encoder_is_not_meant_by_a_ban_of_the_speakers_ticket() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let (id, api, links) = event(&town, "public").await;
        let shared = number_of(&links["speakers"]);
        let shown = town.get(&format!("/events/{id}"), &ada).await;
        let (_, rest) = shown.text().split_once("id=\"whip-token\"").expect("a token");
        let token = rest.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("its value").to_owned();
        let mine = town.ask(&format!("GET {api}"), &[("cookie", &ada)], "").await.json()["whip"]["token"].clone();
        assert_eq!(mine, json!(token), "the same every time");
        let claims = verify(&Keys::new([42; 32]), &token, NOW).expect("signed");
        assert_eq!(claims.class, Class::Speaker);
        let operators = number_of(&links["whip"]["token"]);
        assert!(claims.id != shared && operators != shared && claims.id != operators, "numbers of their own");
        assert_eq!(town.store.ban(id, &[shared]).await.expect("noted"), [shared]);
        // The link goes on: its page gives everybody a ticket of their own.
        let opened = town.ask(&format!("GET /stage/{}", ticket_of(&links["speakers"])), &[("accept", "application/json")], "").await;
        assert!(opened.status == 200 && number_of(&opened.json()["token"]) != shared, "{opened:?}");
    });
}

#[test]
fn programs_that_show_nothing_have_no_answer_in_common() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let (id, api, _) = event(&town, "public").await;
        let raise = async |cookie: &str| {
            let headers = [JSON, ("idempotency-key", "1"), ("cookie", cookie)];
            town.ask(&format!("POST {api}/hand"), &headers, "{\"name\":\"Bo\",\"topic\":\"Trees\"}").await
        };
        let (one, two) = (raise("").await, raise("").await);
        assert!(one.status == 200 && two.status == 200 && one.cookie() != two.cookie());
        assert_ne!(one.json()["ticket"], two.json()["ticket"]);
        let again = raise(&one.cookie()).await;
        assert_eq!(again.json()["ticket"], one.json()["ticket"]);
        assert_eq!(town.store.hands_waiting(id).await.expect("answers").len(), 2);
    });
}

#[test]
fn what_is_sent_twice_is_made_once() {
    on_both(|store| async move {
        let town = Town::new(store, super::SQUARE);
        let ada = town.administrator().await;
        let (id, api, links) = event(&town, "public").await;
        let path = format!("/events/{id}");
        let once =
            |page: &str| page.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token").to_owned();

        // A hand, by two posts before the first answer brought a cookie; and a question.
        let token = once(town.get(&path, "").await.text());
        let hand = format!("once={token}&name=Bo&topic=Trees");
        let to = format!("{path}/hand");
        let (one, two) = tokio::join!(town.submit(&to, "", &hand), town.submit(&to, "", &hand));
        assert_eq!((one.status, two.status, one.cookie()), (303, 303, two.cookie()), "one visitor");
        assert_eq!(town.store.hands_waiting(id).await.expect("answers").len(), 1);
        let bo = one.cookie();
        for text in ["Why", "Why", "When"] {
            assert_eq!(town.submit(&format!("{path}/questions"), &bo, &format!("once={token}&text={text}")).await.status, 303);
        }
        let asked = async || town.store.questions(id, 9).await.expect("answers").len();
        assert_eq!(asked().await, 2, "who goes back and asks something else has another question");
        assert_eq!(town.submit(&format!("{path}/questions"), &bo, &format!("once={token}&text=+")).await.status, 422);

        // A new event, an invite, and what programs do.
        let form = town.get("/events/new", &ada).await;
        let fields = format!("csrf={}&once={}&title=Twice&visibility=public&speak=hands&delay=0", form.word(), once(form.text()));
        let made = [town.submit("/events", &ada, &fields).await, town.submit("/events", &ada, &fields).await];
        assert_eq!((made[0].status, made[0].header("location")), (303, made[1].header("location")));
        let list = town.operate("GET /api/townsquare/v1/events", "").await.json();
        assert_eq!(list["events"].as_array().expect("a list").iter().filter(|event| event["title"] == "Twice").count(), 1);
        let invites = format!("{path}/invites");
        let form = town.get(&invites, &ada).await;
        let fields = format!("csrf={}&once={}&name=Grace", form.word(), once(form.text()));
        for _ in 0..2 {
            assert_eq!(town.submit(&invites, &ada, &fields).await.status, 303);
        }
        assert_eq!(town.store.invites(id).await.expect("answers").len(), 1);
        let host = format!("Bearer {}", ticket_of(&links["stage"]));
        let pin = async |key: &str| {
            let headers = [JSON, ("authorization", host.as_str()), ("idempotency-key", key)];
            town.ask(&format!("POST {api}/pins"), &headers, "{\"text\":\"Agenda\"}").await.json()["id"].clone()
        };
        assert_eq!([pin("a").await, pin("a").await, pin("b").await], [json!(1), json!(1), json!(2)]);
    });
}
