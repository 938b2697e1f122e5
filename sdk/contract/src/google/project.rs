//! Projects: ids, numbers, and the two spellings of an id that belongs to a domain.

/// Returns whether a text is a valid project id or number. An old id may belong to a domain:
/// `example.com:web`.
pub fn is_project(text: &str) -> bool {
    match text.split_once(':') {
        Some((domain, id)) => is_domain(domain) && is_label(id),
        None => is_label(text),
    }
}

/// Returns whether a text is a valid project number.
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the project of a resource name, `projects/P/…`.
pub fn of_resource(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("projects/")?;
    let project = rest.split('/').next()?;
    is_project(project).then_some(project)
}

/// Returns a project's id in the spelling of host names and addresses: `web.example.com` for
/// `example.com:web`.
pub fn in_host(project: &str) -> String {
    match project.split_once(':') {
        Some((domain, id)) => format!("{id}.{domain}"),
        None => project.to_owned(),
    }
}

/// Returns the project that a host name or an address means. This reverses [`in_host`].
pub(super) fn of_host(host: &str) -> Option<String> {
    let project = match host.split_once('.') {
        Some((id, domain)) => format!("{domain}:{id}"),
        None => host.to_owned(),
    };
    is_project(&project).then_some(project)
}

/// Removes the project from the front of a path. A project of a domain has two segments,
/// `example.com/web`. No other id contains a dot.
pub(super) fn take<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let first = segments.next()?;
    let project = if first.contains('.') {
        format!("{first}:{}", segments.next()?)
    } else {
        first.to_owned()
    };
    is_project(&project).then_some(project)
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_label)
}

/// Returns whether a text consists of lower-case letters, digits and hyphens.
pub(super) fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain)
}
