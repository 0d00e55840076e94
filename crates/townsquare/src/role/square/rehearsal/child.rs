//! The process that conducts a rehearsal, from its start to its end: what it says, how long it may take, how it is called back.

use crate::command::rehearse::attended::{Line, Wish};
use anyhow::Context as _;
use api::End;
use base::limit::REHEARSAL_WORDS_BYTES_MAX;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// Conducts a rehearsal. It is called back when `ended` says so or `patience` is over, and has `leave` to go by itself.
pub(super) async fn conduct(
    wish: &Wish,
    patience: Duration,
    leave: Duration,
    mut ended: watch::Receiver<bool>,
    learn: impl Fn(Line),
) -> anyhow::Result<End> {
    let mut child = start(wish).await?;
    let called_back = async {
        // A sender that is gone means the same.
        let _ = ended.wait_for(|ended| *ended).await;
    };
    let said = child.stdout.take().zip(child.stderr.take()).context("the rehearsal has no pipes")?;
    let listen = async { tokio::join!(verdict(said.0, &learn), complaint(said.1)) };
    tokio::pin!(listen);
    let mut is_said = false;
    let end = tokio::select! {
        (verdict, complaint) = &mut listen => {
            is_said = true;
            verdict.map_or_else(|| End::Failed(complaint), End::Verdict)
        }
        () = called_back => End::Stopped,
        () = tokio::time::sleep(patience) => End::Failed("The crowd did not come to an end in time. It was called back.".to_owned()),
    };
    // Its input closes, and it leaves; what does not is ended, and the crowd's processes go with it.
    drop(child.stdin.take());
    let gone = async {
        if !is_said {
            listen.await;
        }
        let _ = child.wait().await;
    };
    let _ = tokio::time::timeout(leave, gone).await;
    let _ = child.kill().await;
    Ok(end)
}

async fn start(wish: &Wish) -> anyhow::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("townsquare").arg("rehearse-event").env_remove("TOWNSQUARE_SETTINGS").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("the rehearsal can't be started")?;
    let mut line = serde_json::to_vec(wish)?;
    line.push(b'\n');
    child.stdin.as_mut().context("the rehearsal has no input")?.write_all(&line).await?;
    Ok(child)
}

/// Follows what it says until its end; the verdict, when there is one.
pub(super) async fn verdict(from: impl AsyncRead + Unpin, learn: &impl Fn(Line)) -> Option<String> {
    let mut lines = BufReader::new(from).lines();
    let mut verdict = None;
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Line::Verdict(words)) => verdict = Some(words),
            Ok(moment @ Line::Moment { .. }) => learn(moment),
            Err(error) => tracing::warn!(%error, "a rehearsal says what nobody understands"),
        }
    }
    verdict
}

/// Reads to its end what it complains of; why it failed is the last line.
pub(super) async fn complaint(mut from: impl AsyncRead + Unpin) -> String {
    let mut words = Vec::new();
    let _ = (&mut from).take(REHEARSAL_WORDS_BYTES_MAX).read_to_end(&mut words).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().find_map(|line| line.strip_prefix("townsquare: "));
    last.map_or_else(|| "The rehearsal broke off. The server’s log says more.".to_owned(), sentence)
}

/// What a command says for itself, as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
