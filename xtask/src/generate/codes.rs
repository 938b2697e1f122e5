//! The tables of failure codes, which are placed between markers on hand-written pages.

use std::fs;
use std::path::PathBuf;

use sidestep_contract::codes;

use crate::{Result, cargo};

/// The pages with such tables.
const PAGES: [&str; 2] = ["failures.md", "dockerfiles.md"];

/// Regenerates the tables.
pub(super) fn replace() -> Result<()> {
    for (page, _, filled) in pages()? {
        fs::write(&page, filled)
            .map_err(|error| format!("cannot write {}: {error}", page.display()))?;
    }
    Ok(())
}

/// Fails if a table does not match the contract.
pub(super) fn check() -> Result<()> {
    for (page, text, filled) in pages()? {
        if text != filled {
            let page = page.display();
            return Err(format!(
                "the tables of {page} are outdated; run `cargo xtask generate` to update them"
            ));
        }
    }
    Ok(())
}

/// Returns the pages, with their current and their expected text.
fn pages() -> Result<Vec<(PathBuf, String, String)>> {
    let page = |name| {
        let page = cargo::root().join("docs").join(name);
        let text = fs::read_to_string(&page)
            .map_err(|error| format!("cannot read {}: {error}", page.display()))?;
        let filled = codes::fill(&text).map_err(|why| format!("{}: {why}", page.display()))?;
        Ok((page, text, filled))
    };
    PAGES.into_iter().map(page).collect()
}
