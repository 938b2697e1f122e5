//! What goes into the image's configuration, and kaniko refuses or leaves out.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Kind, Word, is_signal, variables};

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, instruction) in reading.instructions() {
        match &instruction.kind {
            Kind::Expose(ports) => found.extend(ports.iter().filter_map(|one| port(reading, one))),
            Kind::Stopsignal(signal) if !variables(&signal.text) && !is_signal(&signal.text) => {
                let message = format!("there is no signal `{}`", signal.text);
                found.push(
                    reading
                        .error(codes::dockerfile::SIGNAL, signal.at, message)
                        .help("a signal is a number or a name: `SIGTERM`"),
                );
            }
            Kind::Maintainer(name) => {
                let text = name.text.trim_matches(['"', '\'']);
                found.push(
                    reading
                        .warning(
                            codes::dockerfile::MAINTAINER,
                            instruction.keyword.at,
                            "kaniko leaves MAINTAINER out of the image",
                        )
                        .help(format!(
                            "`LABEL org.opencontainers.image.authors={text:?}` says it"
                        )),
                );
            }
            _ => {}
        }
    }
    found
}

/// kaniko knows two protocols, in small letters.
fn port(reading: &Reading<'_>, port: &Word) -> Option<Diagnostic> {
    if variables(&port.text) {
        return None;
    }
    let (_, protocol) = port.text.split_once('/')?;
    if ["tcp", "udp"].contains(&protocol) {
        return None;
    }
    let message = format!("kaniko takes no `{}`: it knows tcp and udp", port.text);
    let found = reading.error(codes::dockerfile::PORT, port.at, message);
    let lower = port.text.to_lowercase();
    Some(
        if lower != port.text && (lower.ends_with("/tcp") || lower.ends_with("/udp")) {
            found.help(format!("in small letters: `{lower}`"))
        } else {
            found.help("EXPOSE only documents a port; leave this one out")
        },
    )
}
