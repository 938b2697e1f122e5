//! Settings of the image's configuration that kaniko refuses or leaves out.

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
                let message = format!("`{}` is not a valid signal", signal.text);
                found.push(
                    reading
                        .error(codes::dockerfile::SIGNAL, signal.at, message)
                        .help("write a number or a name such as `SIGTERM`"),
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
                            "use `LABEL org.opencontainers.image.authors={text:?}`"
                        )),
                );
            }
            _ => {}
        }
    }
    found
}

/// Reports a port whose protocol kaniko does not support: it knows `tcp` and `udp`, in lower case.
fn port(reading: &Reading<'_>, port: &Word) -> Option<Diagnostic> {
    if variables(&port.text) {
        return None;
    }
    let (_, protocol) = port.text.split_once('/')?;
    if ["tcp", "udp"].contains(&protocol) {
        return None;
    }
    let message = format!(
        "kaniko does not accept `{}`: it supports only tcp and udp",
        port.text
    );
    let found = reading.error(codes::dockerfile::PORT, port.at, message);
    let lower = port.text.to_lowercase();
    Some(
        if lower != port.text && (lower.ends_with("/tcp") || lower.ends_with("/udp")) {
            found.help(format!("write it in lower case: `{lower}`"))
        } else {
            found.help("EXPOSE only documents a port; leave this one out")
        },
    )
}
