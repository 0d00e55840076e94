//! Lists the files of web/ that browsers get (not the types beside them, which are for checks), so that the binary holds them: one `(path, bytes)` each, sorted by path.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folders of web/ that are served as they are.
const FOLDERS: [&str; 4] = ["css", "icons", "js", "vendor"];

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let web = manifest.join("../../web").canonicalize()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        // A folder that is not there is watched too, or its first file would not be seen.
        println!("cargo::rerun-if-changed={}", web.join(folder).display());
        collect(&web.join(folder), &mut files)?;
    }
    // By the whole path as it is asked for: of `a/b.js` and `a.js` the second is the first, unlike part by part.
    files.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    let mut list = String::from("&[\n");
    for file in &files {
        let path = file.strip_prefix(&web).map_err(io::Error::other)?;
        let path = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        writeln!(list, "({path:?}, include_bytes!({:?})),", file.display().to_string()).map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("assets.rs"), list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !path.to_string_lossy().ends_with(".d.ts") {
            files.push(path);
        }
    }
    Ok(())
}
