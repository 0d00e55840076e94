use super::*;

#[test]
fn the_command_line_is_consistent() {
    Line::command().debug_assert();
}

#[test]
fn wrong_usage_is_one_line() {
    for words in
        [&["townsquare"][..], &["townsquare", "dance"], &["townsquare", "serve", "--listen", "nowhere"], &["townsquare", "completions"]]
    {
        let error = Line::try_parse_from(words).expect_err("wrong usage");
        let line = one_line(&error);
        assert!(!line.contains('\n') && !line.is_empty(), "{words:?}: {line}");
    }
}

#[test]
fn a_failure_is_told_with_its_deepest_cause_alone() {
    let error = anyhow::anyhow!("disk on fire").context("can't write").context("can't start");
    assert_eq!(brief(&error), "can't start: disk on fire");
    assert_eq!(brief(&anyhow::anyhow!("one\n  two")), "one two");
}
