//! From the press of "Listen" to the first sound in a real browser: `web/test/tap.mjs`, where Chromium is.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Milliseconds over many presses.
pub(crate) struct Tap {
    presses: u64,
    p50: u64,
    p99: u64,
}

impl Tap {
    /// Presses; `None` without a browser, which the script says itself.
    pub(crate) fn measure() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/test/tap.mjs");
        let output = Command::new("node")
            .arg(script)
            .env("TOWNSQUARE_BIN", env!("CARGO_BIN_EXE_townsquare"))
            .stderr(Stdio::inherit())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let json: Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(Self { presses: json["presses"].as_u64()?, p50: json["p50_ms"].as_u64()?, p99: json["p99_ms"].as_u64()? })
    }

    pub(crate) fn print(&self) {
        println!("From the press of \"Listen\" to the first sound, in Chromium on this machine\n");
        println!("| presses | p50 ms | p99 ms |\n|---|---|---|\n| {} | {} | {} |\n", self.presses, self.p50, self.p99);
    }

    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({ "presses": self.presses, "p50_ms": self.p50, "p99_ms": self.p99 })
    }
}
