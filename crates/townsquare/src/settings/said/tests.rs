use super::*;

/// What these words on the command line come to, in an environment that says nothing.
fn said(words: &[&str]) -> Said {
    let command = Said::augment_args(clap::Command::new("serve").no_binary_name(true)).mut_args(|arg| arg.env(None::<&str>));
    Said::from_arg_matches(&command.try_get_matches_from(words).expect("flags")).expect("said")
}

fn settled(words: &[&str]) -> Settings {
    said(words).settled().expect("settled")
}

#[test]
fn addresses_follow_from_one_another() {
    let key = ["--tls-cert", "/dev/null", "--tls-key", "/dev/null"];
    let rows: [(&[&str], [&str; 3]); 6] = [
        (&[], ["http://localhost:8080", "http://localhost:8081", "http://localhost:10000"]),
        (&key, ["https://localhost:8080", "https://localhost:8081", "https://localhost:10000"]),
        (&["--listen", "0.0.0.0:80"], ["http://localhost", "http://localhost:8081", "http://localhost:10000"]),
        (&["--listen", "127.1.2.3:80"], ["http://127.1.2.3", "http://127.1.2.3:8081", "http://127.1.2.3:10000"]),
        (&["--public-url", "https://a.example/"], ["https://a.example", "http://a.example:8081", "http://a.example:10000"]),
        (
            &["--public-url", "https://a.example", "--relay-public-url", "https://b.example:8443", "--stage-public-url", "https://[::2]"],
            ["https://a.example", "https://b.example:8443", "https://[::2]"],
        ),
    ];
    for (words, expected) in rows {
        let settings = settled(words);
        assert_eq!([settings.public_url, settings.relay_public_url, settings.stage_public_url], expected, "{words:?}");
    }
    assert!(!settled(&[]).stage_public_url_said);
    assert!(settled(&["--stage-public-url", "http://a.example"]).stage_public_url_said);
}

#[test]
fn what_cannot_be_is_wrong_usage_in_one_line() {
    let rows: [(&[&str], &str); 11] = [
        (&["--public-url", "square"], "--public-url"),
        (&["--public-url", "ftp://square.example"], "neither http nor https"),
        (&["--relay-public-url", "https://a.example/path"], "--relay-public-url"),
        (&["--stage-public-url", "https://me@a.example"], "--stage-public-url"),
        (&["--tls-cert", "/dev/null"], "--tls-key"),
        (&["--tls-key", "/dev/null"], "--tls-cert"),
        (&["--relay-workers", "0"], "--relay-workers"),
        (&["--cadence", "300"], "say auto, 200, 1000, 2000, 4000, 8000, 16000"),
        (&["--cadence", "quick"], "--cadence"),
        (&["--database", "mysql://a"], "--database"),
        (&["--listen", "127.0.0.1:0"], "--listen"),
    ];
    for (words, expected) in rows {
        let error = said(words).settled().expect_err("wrong");
        let text = error.to_string();
        assert!(error.is::<Usage>() && text.contains(expected) && !text.contains('\n'), "{words:?}: {text}");
    }
}

#[test]
fn a_file_says_what_flags_say_and_flags_go_first() {
    let file: Said = toml::from_str(
        "data = 'd'\nlisten = '127.0.0.1:1'\nrelay-listen = '127.0.0.1:2'\nstage-listen = '127.0.0.1:3'\ninternal-listen = '127.0.0.1:4'\n\
         public-url = 'http://a'\nrelay-public-url = 'http://b'\nstage-public-url = 'http://c'\ntls-cert = 'e'\ntls-key = 'f'\n\
         database = 'sqlite:g'\nrelay-workers = 5\n",
    )
    .expect("a file");
    let words = "--data d --listen 127.0.0.1:1 --relay-listen 127.0.0.1:2 --stage-listen 127.0.0.1:3 --internal-listen 127.0.0.1:4 \
         --public-url http://a --relay-public-url http://b --stage-public-url http://c --tls-cert e --tls-key f \
         --database sqlite:g --relay-workers 5";
    assert_eq!(said(&words.split_whitespace().collect::<Vec<_>>()), file);
    assert_eq!(said(&["--data", "mine"]).or(file.clone()).data, Some("mine".into()));
    assert_eq!(said(&[]).or(file.clone()), file);
    assert!(toml::from_str::<Said>("listne = 1").is_err());
}
