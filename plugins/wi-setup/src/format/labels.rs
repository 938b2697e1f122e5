//! Names for the blocks and objects of a printed state.

use sidestep::google::Resource;

use crate::plan::{Change, Part};
use crate::wanted::On;

/// Returns a unique name for each part, of lower-case letters, digits and `separator`.
pub(super) fn of(parts: &[Part], separator: char) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let name = plain(&words(&part.change), separator);
        let numbered = (2_u32..).map(|number| format!("{name}{separator}{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|candidate| !names.contains(candidate));
        names.push(free.unwrap_or_default());
    }
    names
}

fn words(change: &Change) -> String {
    match change {
        Change::KubernetesAccount | Change::Annotate { .. } => "workload".to_owned(),
        Change::GoogleAccount(account) => account.name().unwrap_or("account").to_owned(),
        Change::Bind(binding) => {
            let place = match &binding.on {
                On::Account(account) => account.name().unwrap_or("account"),
                On::Target(Resource::Objects { bucket, .. }) => bucket,
                On::Target(Resource::Repository(repository)) => &repository.name,
                On::Target(Resource::Secret { name, .. }) => name,
                On::Target(Resource::Project(id)) => id,
            };
            let role = binding.role.rsplit(['/', '.']).next().unwrap_or_default();
            format!("{place}-{role}")
        }
    }
}

/// Returns a text in lower case, with `separator` for every other character than letters and
/// digits. A name begins with a letter.
fn plain(text: &str, separator: char) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if name.ends_with(separator) => {}
            _ => name.push(separator),
        }
    }
    let name = name.trim_matches(separator);
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("r{separator}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_begin_with_a_letter() {
        assert_eq!(plain("demo-Contexts.x--y", '_'), "demo_contexts_x_y");
        assert_eq!(plain("1st", '-'), "r-1st");
    }
}
