use super::text::Text;
use super::{block, line};

/// Returns the text as the data of a workflow command, with the escapes of `@actions/core`, so that
/// it cannot end the command or begin another.
pub fn github_data(text: &(impl Text + ?Sized)) -> String {
    encoded(&block(text, "", "").join("\n"))
}

/// Returns the text as the value of a property of a workflow command.
pub fn github_property(text: &(impl Text + ?Sized)) -> String {
    encoded(&line(text)).replace(':', "%3A").replace(',', "%2C")
}

fn encoded(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
