//! The rules of ARCHITECTURE.md that a machine can hold: who imports whom, what pure crates never touch, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every crate and what it may import, transitively. A crate imports from lower floors only; what is not here is refused.
const IMPORTS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("audio", &["base"]),
    ("store", &["base"]),
    ("gate", &["base"]),
    ("ingest", &["base"]),
    ("programme", &["base"]),
    ("stage", &["base", "audio"]),
    ("square", &["base", "store"]),
    ("relay", &["base", "gate", "programme"]),
    ("rehearsal", &["base", "audio", "programme"]),
    ("api", &["base", "gate", "square", "store"]),
    ("sim", &["base"]),
    ("townsquare", &["api", "audio", "base", "gate", "ingest", "programme", "rehearsal", "relay", "square", "stage", "store"]),
];

/// Crates that take time, chance and bytes as arguments.
const PURE: &[&str] = &["base", "audio", "ingest", "stage", "programme", "gate", "square"];

/// What no pure crate says outside its tests.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "std::net::Udp",
    "std::net::Tcp",
    "std::fs",
    "std::env",
    "std::thread",
    "thread_rng",
    "rand::rng",
    "getrandom",
    "HashMap",
    "HashSet",
    "tokio",
];

/// Outside libraries with sockets, files, SQL or a runtime in them, and who may use them.
const FENCED_LIBRARIES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("axum", &["api", "townsquare"]),
    ("opus", &["audio"]),
    ("mp3lame-encoder", &["audio"]),
    ("str0m", &["ingest"]),
    ("tokio", &["store", "api", "townsquare"]),
];

const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace's root")
}

/// Direct normal dependencies of every workspace crate, as cargo itself sees them.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let normal = |package: &serde_json::Value| {
        let rows = package["dependencies"].as_array().expect("dependencies").iter();
        rows.filter(|row| row["kind"].is_null()).map(|row| row["name"].as_str().expect("name").to_owned()).collect()
    };
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages.map(|package| (package["name"].as_str().expect("name").to_owned(), normal(package))).collect()
}

fn reach<'a>(from: &'a str, direct: &'a BTreeMap<String, BTreeSet<String>>, seen: &mut BTreeSet<&'a str>) {
    for name in direct.get(from).into_iter().flatten() {
        if direct.contains_key(name) && seen.insert(name) {
            reach(name, direct, seen);
        }
    }
}

#[test]
fn crates_import_only_from_lower_floors() {
    let direct = dependencies();
    let table: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    for name in direct.keys() {
        let allowed = table.get(name.as_str()).unwrap_or_else(|| panic!("{name} stands on no floor: add it to the import table"));
        let mut seen = BTreeSet::new();
        reach(name, &direct, &mut seen);
        for import in seen {
            assert!(allowed.contains(&import), "{name} imports {import}, which ARCHITECTURE.md forbids");
        }
    }
    assert_eq!(direct.len(), table.len(), "the import table names a crate that is gone");
}

#[test]
fn fenced_libraries_stay_behind_their_fence() {
    let direct = dependencies();
    for (library, tenants) in FENCED_LIBRARIES {
        for (name, dependencies) in &direct {
            let inside = tenants.contains(&name.as_str());
            assert!(inside || !dependencies.contains(*library), "{name} uses {library}; only {tenants:?} may");
        }
    }
}

/// Outside libraries that the workspace pins, and those that a crate uses, in tests too.
fn pinned_and_used() -> (BTreeSet<String>, BTreeSet<String>) {
    let read = |path: PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table = |text: &str| toml::from_str::<toml::Table>(text).expect("a manifest");
    let root_manifest = table(&read(root().join("Cargo.toml")));
    let pinned = root_manifest["workspace"]["dependencies"].as_table().expect("pinned libraries").iter();
    let pinned = pinned.filter(|(_, row)| row.get("path").is_none()).map(|(name, _)| name.clone()).collect();
    let mut used = BTreeSet::new();
    for path in tracked(&["Cargo.toml"]).into_iter().filter(|path| path.parent() != Some(&root())) {
        let manifest = table(&read(path));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            used.extend(manifest.get(kind).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys).cloned());
        }
    }
    (pinned, used)
}

#[test]
fn every_library_is_used_and_explained() {
    let (pinned, used) = pinned_and_used();
    let idle: Vec<_> = pinned.difference(&used).collect();
    assert!(idle.is_empty(), "pinned and used by no crate: {idle:?}");
    let text = std::fs::read_to_string(root().join("docs/dependencies.md")).expect("the page on dependencies");
    let ours = text.split("\n## ").next().unwrap_or_default();
    let taken = ours.lines().filter_map(|line| line.strip_prefix('|')?.split('|').nth(1));
    // Names stand between backticks: every second piece.
    let explained: BTreeSet<String> = taken.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    assert_eq!(explained, pinned, "docs/dependencies.md (left) and Cargo.toml (right) differ");
}

/// Files that git tracks, with one of these endings, outside what was taken over as published.
fn tracked(endings: &[&str]) -> Vec<PathBuf> {
    let output = Command::new("git").arg("ls-files").current_dir(root()).output().expect("git runs");
    assert!(output.status.success(), "the tests run in a git checkout");
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let ours =
        |name: &&str| endings.iter().any(|ending| name.ends_with(ending)) && !name.contains("/vendor/") && !name.contains("/snapshots/");
    names.lines().filter(ours).map(|name| root().join(name)).filter(|path| path.exists()).collect()
}

fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.ends_with("/tests.rs") || text.contains("/tests/") || text.contains("/benches/") || is_declared_for_tests(path)
}

/// Whether the crate's root declares this file as a module of its tests.
fn is_declared_for_tests(path: &Path) -> bool {
    let declaring = path.parent().map(|folder| folder.join("lib.rs")).and_then(|root| std::fs::read_to_string(root).ok());
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    declaring.is_some_and(|text| ["", "pub(crate) ", "pub "].iter().any(|to| text.contains(&format!("#[cfg(test)]\n{to}mod {name};"))))
}

#[test]
fn pure_crates_take_the_world_as_arguments() {
    for path in tracked(&[".rs"]) {
        let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        let Some(name) = relative.strip_prefix("crates/").and_then(|rest| rest.split('/').next()) else { continue };
        if !PURE.contains(&name) || is_test(&path) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a tracked file is readable");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in IMPURE {
                assert!(!code.contains(word), "{relative}:{}: {word} in a pure crate", number + 1);
            }
        }
    }
}

#[test]
fn files_fit_a_reader() {
    for path in tracked(&[".rs", ".js", ".css", ".html"]) {
        let text = std::fs::read_to_string(&path).expect("a tracked file is readable");
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines; split it by meaning", path.display());
        if path.extension().is_some_and(|ending| ending == "rs") && !is_test(&path) {
            assert!(text.starts_with("//!"), "{}: a file begins by saying what it is", path.display());
        }
    }
}

#[test]
fn only_store_writes_sql() {
    for path in tracked(&[".rs"]) {
        let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        if relative.starts_with("crates/store/") || relative.ends_with("tests/house.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a tracked file is readable");
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"] {
            assert!(!text.contains(word), "{relative}: {word:?} outside store");
        }
    }
}
