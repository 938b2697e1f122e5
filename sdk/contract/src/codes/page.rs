//! The tables of failure codes on pages of the documentation.

use super::{Code, TOPICS, Topic};

const BEGIN: &str = "<!-- codes: ";
const END: &str = "<!-- end -->";

/// Returns a page with its tables regenerated: each is between `<!-- codes: TOPIC -->` and
/// `<!-- end -->`.
///
/// # Errors
/// Returns a message about a mark that names no topic, or has no end.
pub fn fill(page: &str) -> Result<String, String> {
    let mut filled = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find(BEGIN) {
        let (before, mark) = rest.split_at(at);
        let name = mark[BEGIN.len()..].split(" -->").next().unwrap_or_default();
        let topic = TOPICS.iter().find(|topic| topic.name == name);
        let topic = topic.ok_or_else(|| format!("`{name}` is not a topic of failure codes"))?;
        let end = mark
            .find(END)
            .ok_or_else(|| format!("the codes `{name}` have no `{END}`"))?;
        filled.push_str(before);
        filled.push_str(&format!("{BEGIN}{name} -->\n{}{END}", table(topic)));
        rest = &mark[end + END.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn table(topic: &Topic) -> String {
    let mut table = "| code | class | owner | what it means | what to do |\n".to_owned();
    table.push_str("|---|---|---|---|---|\n");
    for code in topic.codes {
        table.push_str(&row(code));
    }
    table
}

fn row(code: &Code) -> String {
    let classes: Vec<&str> = code.classes.iter().map(|class| class.as_str()).collect();
    let owners: Vec<&str> = code.owners.iter().map(|owner| owner.as_str()).collect();
    let [classes, owners] = [classes, owners].map(|names| {
        if names.is_empty() {
            "–".to_owned()
        } else {
            names.join(", ")
        }
    });
    format!(
        "| `{}` | {classes} | {owners} | {} | {} |\n",
        code.name, code.means, code.todo
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_between_its_marks() {
        let page = "# Codes\n\n<!-- codes: pods -->\nold\n<!-- end -->\n\nmore\n";
        let filled = fill(page).expect("a topic");
        assert!(filled.starts_with("# Codes\n\n<!-- codes: pods -->\n| code |"));
        assert!(filled.contains("\n| `pod.evicted` | unavailable | cluster | the pod was evicted"));
        assert!(filled.contains("\n| `pod.log-gap` | – | – | a warning: "));
        assert!(filled.ends_with(" |\n<!-- end -->\n\nmore\n"));
        assert_eq!(fill(&filled).as_ref(), Ok(&filled));
    }

    #[test]
    fn a_wrong_mark_is_an_error() {
        fill("<!-- codes: none -->\n<!-- end -->").expect_err("no topic");
        fill("<!-- codes: pods -->\n").expect_err("no end");
    }
}
