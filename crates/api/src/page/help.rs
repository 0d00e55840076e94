//! The guides in docs/ as pages.

use super::{Frame, render};
use crate::caller::Caller;
use crate::fault::Fault;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use base::FaultKind;
use pulldown_cmark::{Parser, html};
use std::sync::LazyLock;

/// A guide: its name in the address, its heading and its HTML.
struct Guide {
    name: &'static str,
    title: &'static str,
    html: String,
}

/// What is shown was written by this project: nothing in it comes from outside.
static GUIDES: LazyLock<[Guide; 2]> = LazyLock::new(|| {
    [("host", include_str!("../../../../docs/host-guide.md")), ("listening", include_str!("../../../../docs/listening.md"))].map(
        |(name, text)| {
            let mut html = String::new();
            html::push_html(&mut html, Parser::new(text));
            let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
            Guide { name, title, html }
        },
    )
});

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    frame: Frame,
    guide: &'static Guide,
}

pub(crate) async fn show(Path(name): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let guide = GUIDES.iter().find(|guide| guide.name == name).ok_or(FaultKind::NotFound)?;
    Ok(render(&HelpPage { frame: Frame::new(&caller), guide }))
}
