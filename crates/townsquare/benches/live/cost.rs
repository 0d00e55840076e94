//! What the roles took: processor time and memory, from /proc.

use std::time::{Duration, Instant};

/// Clock ticks a second in /proc/PID/stat: Linux has reported 100 on every machine since 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// One role over the time of a measurement.
struct Row {
    role: String,
    core_percent: f64,
    resident_mib: f64,
}

/// What every role took.
pub(crate) struct Cost(Vec<Row>);

impl Cost {
    /// Waits `length` and reads the roles' counters at both ends.
    pub(crate) fn over(roles: Vec<(String, i32)>, length: Duration) -> Self {
        let started = Instant::now();
        let before: Vec<f64> = roles.iter().map(|(_, pid)| processor_seconds(*pid)).collect();
        std::thread::sleep(length);
        let passed = started.elapsed().as_secs_f64();
        let row = |((role, pid), before): ((String, i32), f64)| Row {
            core_percent: (processor_seconds(pid) - before) / passed * 100.0,
            resident_mib: resident_mib(pid),
            role,
        };
        Self(roles.into_iter().zip(before).map(row).collect())
    }

    pub(crate) fn table(&self) -> String {
        let head = "| role | % of one core | resident MiB |\n|---|---|---|\n".to_owned();
        self.0.iter().fold(head, |table, row| table + &format!("| {} | {:.1} | {:.0} |\n", row.role, row.core_percent, row.resident_mib))
    }

    /// What one role took of a core.
    pub(crate) fn core_percent(&self, role: &str) -> f64 {
        self.0.iter().find(|row| row.role == role).map_or(f64::NAN, |row| row.core_percent)
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let row = |row: &Row| serde_json::json!({ "role": row.role, "core_percent": row.core_percent, "resident_mib": row.resident_mib });
        self.0.iter().map(row).collect()
    }
}

/// Seconds of processor that a process has taken since it began.
pub(crate) fn processor_seconds(pid: i32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces: fields are counted from behind it (proc(5): utime and stime are fields 14 and 15).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

fn resident_mib(pid: i32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
