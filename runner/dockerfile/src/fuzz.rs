//! Parsers of untrusted bytes, as fuzz targets.

use std::collections::BTreeMap;

/// A target: its name, the parser, and the initial inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 1] = [("dockerfile-file", dockerfile, seeds)];

/// Reads a Dockerfile, plans its stages, and expands each of its words.
pub fn dockerfile(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match crate::parse(&text) {
        Ok(file) => {
            let arguments = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
            if let Ok(plan) = crate::plan(&file, &arguments, None) {
                assert_eq!(plan.needed.len(), plan.target + 1);
            }
        }
        Err(errors) => assert!(!errors.is_empty()),
    }
    for word in text.split_whitespace() {
        let _ = crate::expand(word, &|name| (name == "A").then(|| "b".to_owned()));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "# syntax=docker/dockerfile:1\nARG A=1\nFROM --platform=linux/amd64 r.example/a:${A:-2} AS x\nENV B=\"c d\" E=f\nCOPY --from=x --chown=1:2 a b/ /c/\nADD https://e.example/x.tar /y\nRUN --mount=type=cache,target=/t echo $B && \\\n  true\nHEALTHCHECK --interval=5s CMD [\"a\", \"b\"]\nSTOPSIGNAL SIGTERM\nCMD [\"/x\"]\n",
        "# escape=`\nFROM scratch\nCOPY <<EOF /f\nhello $A\nEOF\nRUN <<-'X' sh\n\techo\nX\nLABEL a=b c='d e'\nVOLUME /v\nEXPOSE 80/tcp\nUSER 1\nWORKDIR /w\nONBUILD RUN x\nSHELL [\"sh\", \"-c\"]\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
