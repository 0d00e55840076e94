//! Sentences, row by row, and the form of the result.

use super::*;

const MACHINE: Option<Machine> = Some(Machine { cores: 2, memory_bytes: 24_000_000_000 });

fn tally() -> Tally {
    Tally { asked: 420_000, started: 420_000, joined: 420_000, heard: 420_000, hearing: 420_000, decoded: 9, loud: 9, ..Tally::default() }
}

fn says(tally: &Tally, server: Server, machine: Option<Machine>) -> String {
    sentence(&Case { tally, server, machine, rung: Rung::R32, line_bits: 1_000_000_000 })
}

#[test]
fn one_sentence_says_it() {
    let server =
        Server { cpu_us_per_listener_second: Some(3.0), user_bytes_per_listener: Some(500), kernel_bytes_per_listener: Some(5_000) };
    let hungry = Server { kernel_bytes_per_listener: Some(50_000), ..server };
    let line = "at 1 Gbit/s the line ends at 24,038";
    for (tally, server, machine, expected) in [
        (tally(), Server::default(), None, format!("Holds 420,000 listeners; {line}.")),
        (tally(), server, MACHINE, format!("Holds 420,000 listeners; the limit here is CPU (at this cadence) at about 600,000; {line}.")),
        (tally(), hungry, MACHINE, format!("Holds 420,000 listeners; the limit here is memory at about 380,000; {line}.")),
        (
            Tally { hearing: 419_000, ..tally() },
            server,
            None,
            format!("Does not hold 420,000 listeners: 1,000 of 420,000 heard nothing at the end; {line}."),
        ),
        (Tally { gaps: 1, stalls: 2, ..tally() }, server, None, format!("Does not hold 420,000 listeners: 1 gap, 2 stalls; {line}.")),
        (
            Tally { loud: 0, ..tally() },
            server,
            None,
            format!("Holds 420,000 listeners; {line}; nobody spoke: all that was heard is silence."),
        ),
        (Tally { hearing: 419_000, away: 1_000, ..tally() }, server, None, format!("Holds 420,000 listeners; {line}.")),
        (Tally { hearing: 0, ended: 420_000, ..tally() }, server, None, format!("Holds 420,000 listeners; {line}.")),
    ] {
        assert_eq!(says(&tally, server, machine), expected);
    }
    let exhausted = Tally { heard: 28_000, hearing: 28_000, exhausted: 9, ..tally() };
    assert!(says(&exhausted, server, None).starts_with("The crowd itself ended at 28,000 of 420,000 listeners: no port or descriptor"));
}

#[test]
fn nobody_is_not_everybody() {
    assert!(
        !holds(&Tally::default())
            && !holds(&Tally { heard: 0, hearing: 0, ended: 420_000, ..tally() })
            && holds(&tally())
            && !holds(&Tally { disconnects: 1, ..tally() })
    );
}

#[test]
fn the_result_has_its_form() {
    let mut tally = Tally { asked: 2, joined: 1, hearing: 1, bytes: 7, ..Tally::default() };
    tally.join_ms.note(3);
    let text = serde_json::to_string(&Summary::of(&tally, 12.04, Server::default())).unwrap();
    assert_eq!(
        text,
        r#"{"listeners":{"asked":2,"joined":1,"hearing_at_end":1},"join_ms":{"p50":3,"p99":3},"first_audio_ms":{"p50":null,"p99":null},"#
            .to_owned()
            + r#""gaps":0,"repeats":0,"stalls":0,"disconnects":0,"bytes":7,"cadence_ms":{"p50":null,"max":null},"seconds":12.0,"#
            + r#""server":{"cpu_us_per_listener_second":null,"user_bytes_per_listener":null,"kernel_bytes_per_listener":null}}"#
    );
}

#[test]
fn numbers_are_written_for_people() {
    for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (420_000, "420,000"), (8_000_000, "8,000,000")] {
        assert_eq!(grouped(number), expected);
    }
    for (number, expected) in [(16_000, "16 kbit/s"), (1_500_000, "1.5 Mbit/s"), (1_000_000_000, "1 Gbit/s")] {
        assert_eq!(bits(number), expected);
    }
}

#[test]
fn an_hour_costs_what_its_bytes_cost() {
    let [best, ..] = forecast(1_000, 0.05);
    assert_eq!((best.rung, best.line_bits), (Rung::R64, 76_544_000));
    assert!((best.gigabytes - 34.44).abs() < 0.01 && (best.cost - 1.722).abs() < 0.001, "{best:?}");
}
