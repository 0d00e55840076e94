//! Prometheus text of many roles as one: each sample gets its role's labels, each family stands together.

use super::roster::RoleId;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Default)]
struct Family {
    head: Vec<String>,
    samples: Vec<String>,
}

/// Joins what every role answered to `/metrics`.
pub(crate) fn join(answers: &[(RoleId, String)]) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for (id, text) in answers {
        let mut current = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.split_whitespace();
                if let (Some("HELP" | "TYPE"), Some(name)) = (words.next(), words.next()) {
                    name.clone_into(&mut current);
                    let head = &mut families.entry(current.clone()).or_default().head;
                    if !head.iter().any(|known| known == line) {
                        head.push(line.to_owned());
                    }
                }
                continue;
            }
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            if current.is_empty() || !name.starts_with(&current) {
                name.clone_into(&mut current);
            }
            families.entry(current.clone()).or_default().samples.push(labelled(*id, name, &line[name.len()..]));
        }
    }
    let mut text = String::new();
    for line in families.values().flat_map(|family| family.head.iter().chain(&family.samples)) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn labelled(id: RoleId, name: &str, rest: &str) -> String {
    let labels = format!("role=\"{}\",index=\"{}\"", id.role.name(), id.index);
    match rest.strip_prefix('{').map(str::trim_start) {
        Some(more) if more.starts_with('}') => format!("{name}{{{labels}{more}"),
        Some(more) => format!("{name}{{{labels},{more}"),
        None => format!("{name}{{{labels}}}{rest}"),
    }
}

/// The supervisor's own: who runs, who died how often.
pub(crate) fn roster(roles: &[(RoleId, bool, u64)]) -> String {
    let mut text = String::from("# HELP townsquare_role_up Whether the role runs and says so.\n# TYPE townsquare_role_up gauge\n");
    for (id, up, _) in roles {
        let _ = writeln!(text, "{}", labelled(*id, "townsquare_role_up", &format!(" {}", u8::from(*up))));
    }
    text.push_str("# HELP townsquare_role_deaths_total How often the role ended without being told to.\n# TYPE townsquare_role_deaths_total counter\n");
    for (id, _, deaths) in roles {
        let _ = writeln!(text, "{}", labelled(*id, "townsquare_role_deaths_total", &format!(" {deaths}")));
    }
    text
}

/// How full a relay worker is, in percent of its descriptors; `None` when it does not say.
pub(crate) fn filled_percent(text: &str) -> Option<u64> {
    let gauge = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.split(['{', ' ']).next() == Some(name))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    let limit = gauge("townsquare_relay_descriptors_limit")?;
    gauge("townsquare_relay_descriptors_used")?.saturating_mul(100).checked_div(limit)
}

#[cfg(test)]
mod tests;
