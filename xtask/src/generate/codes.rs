//! The tables of failure codes, which stand between marks on pages that are written by hand.

use std::fs;
use std::path::PathBuf;

use sidestep_contract::codes;

use crate::{Result, cargo};

/// The pages with such tables.
const PAGES: [&str; 2] = ["failures.md", "dockerfiles.md"];

/// Makes the tables anew.
pub(super) fn replace() -> Result<()> {
    for (page, _, filled) in pages()? {
        fs::write(&page, filled)
            .map_err(|error| format!("cannot write {}: {error}", page.display()))?;
    }
    Ok(())
}

/// Fails where a table is not what the contract says.
pub(super) fn check() -> Result<()> {
    for (page, text, filled) in pages()? {
        if text != filled {
            let page = page.display();
            return Err(format!(
                "the tables of {page} are not the contract's; `cargo xtask generate` makes them so"
            ));
        }
    }
    Ok(())
}

/// The pages, as they are and as they should be.
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
