//! TLS as programs see it that nobody here wrote: OpenSSL's own client and curl.

use crate::secure::{Certificate, Program, body};
use crate::world::{Stage, World};
use base::Rung;
use std::path::Path;
use std::process::Command;

fn openssl(world: &World, ca: &Path, more: &[&str]) -> Program {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-servername", "localhost", "-verify_return_error", "-connect"]).arg(world.address.to_string());
    Program::start(command.arg("-CAfile").arg(ca).args(more))
}

/// Waits until the program has the whole file of the programme so far.
fn has_all(world: &mut World, stage: &Stage, program: &Program, what: &str) {
    let whole = stage.file(Rung::R64);
    world.until(what, |_| body(&program.said()).starts_with(&whole).then_some(()));
}

#[test]
fn openssl_hears_the_stream_with_every_cipher_and_changes_its_keys() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let ca = certificate.file(&world.directory);
    let rows: [&[&str]; 6] = [
        &["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
        &["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        &["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    ];
    for row in rows {
        let mut stage = world.live(60);
        let messages = world.directory.0.join("messages");
        let log = messages.to_str().unwrap();
        let mut program = openssl(&world, &ca, &[row, &["-msg", "-msgfile", log][..]].concat());
        program.type_in(&format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", stage.path(".mp4?from=0")));
        has_all(&mut world, &stage, &program, "the beginning");
        let updates = |direction: &str| {
            let text = std::fs::read_to_string(&messages).unwrap_or_default();
            text.lines().filter(|line| line.starts_with(direction) && line.ends_with("KeyUpdate")).count()
        };
        if row[0] == "-tls1_3" {
            // `k` gives new keys, `K` asks for some in return.
            for (letter, theirs, ours) in [("k\n", 1, 0), ("K\n", 2, 1), ("K\n", 3, 2), ("k\n", 4, 2)] {
                program.type_in(letter);
                world.until("the keys are new", |_| (updates(">>>") == theirs && updates("<<<") == ours).then_some(()));
                stage.seal(&[Rung::R64], 5);
                has_all(&mut world, &stage, &program, "it goes on with new keys");
            }
        }
        stage.end();
        has_all(&mut world, &stage, &program, "the end");
        world.until("openssl leaves", |_| program.ended());
        let text = std::fs::read_to_string(&messages).unwrap();
        let last = text.lines().rfind(|line| line.starts_with("<<<") && line.contains("Alert"));
        assert!(last.is_some_and(|line| line.contains("warning close_notify")), "{row:?}: {last:?}");
    }
}

#[test]
fn a_renegotiation_ends_the_connection() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let ca = certificate.file(&world.directory);
    let stage = world.live(10);
    let mut program = openssl(&world, &ca, &["-tls1_2", "-legacy_renegotiation"]);
    program.type_in(&format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", stage.path(".mp4?from=0")));
    has_all(&mut world, &stage, &program, "the beginning");
    program.type_in("R\n");
    world.until("openssl leaves", |_| program.ended());
    assert_eq!(world.worker.load().streams, 0);
}

#[test]
fn openssl_comes_again_with_a_ticket() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let ca = certificate.file(&world.directory);
    let stage = world.live(10);
    let ticket = world.directory.0.join("ticket");
    let ticket = ticket.to_str().unwrap();
    for version in ["-tls1_3", "-tls1_2"] {
        for (flag, said) in [("-sess_out", "\nNew, "), ("-sess_in", "\nReused, ")] {
            let mut program = openssl(&world, &ca, &[version, flag, ticket]);
            program.type_in(&format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", stage.path("/init.mp4")));
            world.until("the answer", |_| (body(&program.said()) == programme::init::segment()).then_some(()));
            // Its input is over: it says good bye.
            program.hang_up();
            let status = world.until("openssl leaves", |_| program.ended());
            let text = String::from_utf8_lossy(&program.said()).into_owned();
            assert!(status.success() && text.contains(said), "{version} {flag}: {text}");
        }
    }
}

#[test]
fn curl_takes_many_answers_and_a_whole_stream() {
    let certificate = Certificate::new();
    let mut world = certificate.world();
    let ca = certificate.file(&world.directory);
    for version in ["1.3", "1.2"] {
        let mut stage = world.live(300);
        let port = world.address.port();
        let curl = |paths: &[String]| {
            let mut command = Command::new("curl");
            command.args(["--silent", "--show-error", "--no-buffer", "--tls-max", version]).arg("--cacert").arg(&ca);
            command.arg("--resolve").arg(format!("localhost:{port}:127.0.0.1"));
            Program::start(command.args(paths.iter().map(|path| format!("https://localhost:{port}{path}"))))
        };
        let mut many = curl(&[stage.path("/init.mp4"), stage.path("/64/s1.0.m4s"), stage.path("/64/s1.30.m4s")]);
        assert!(world.until("many answers", |_| many.ended()).success());
        assert!(stage.file(Rung::R64).starts_with(&many.said()) && many.said().len() > 90_000);
        let mut stream = curl(&[stage.path(".mp4?from=0")]);
        world.until("it streams", |_| (stream.said() == stage.file(Rung::R64)).then_some(()));
        stage.seal(&[Rung::R64], 30);
        stage.end();
        assert!(world.until("the end", |_| stream.ended()).success());
        assert!(stream.said() == stage.file(Rung::R64));
    }
}
