//! The step: gathers, judges, prints.

use sidestep::{Class, Diagnostic, Error, Owner, Result, Step, codes};

use crate::gather::gather;
use crate::inputs::{FailOn, Format, Inputs};
use crate::outputs::{Finding, Outputs, Rule};
use crate::{rules, sarif, show};

/// Searches everything that the inputs name.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let all = gather(inputs)?;
    let cluster = inputs.cluster.as_ref().map(ToString::to_string);
    let mut findings = rules::of_objects(&all.objects, cluster.as_deref());
    // A manifest that is also among the files is one place.
    let in_files = rules::of_files(&all.keys);
    let is_known = |one: &Finding| {
        let mut known = findings.iter();
        known.any(|other| (&other.place, &other.key_id) == (&one.place, &one.key_id))
    };
    let in_files: Vec<Finding> = in_files.into_iter().filter(|one| !is_known(one)).collect();
    findings.extend(in_files);
    findings.extend(all.unknown);
    findings.sort_by(|one, other| {
        let order = |finding: &Finding| (finding.rule, finding.place.clone(), finding.line);
        order(one).cmp(&order(other))
    });
    findings.dedup();
    let objects = u32::try_from(all.objects.len()).unwrap_or(u32::MAX);
    report(step, &findings);
    let summary = show::summary(&findings, objects, all.files);
    sidestep::info!("{summary}");
    fail(inputs.fail_on, &findings, &summary)?;
    let lines = match inputs.format {
        Format::Human => findings.iter().flat_map(show::lines).collect(),
        Format::Sarif => vec![sarif::log(&findings).to_string()],
    };
    Ok(Outputs {
        findings,
        objects,
        files: all.files,
        lines,
    })
}

/// Prints each finding, and marks its line in the CI system's view of the change.
fn report(step: &Step, findings: &[Finding]) {
    for finding in findings {
        let mut lines = show::lines(finding).into_iter();
        if let Some(first) = lines.next() {
            if finding.rule.is_key() {
                sidestep::error!("{first}");
            } else {
                sidestep::warn!("{first}");
            }
        }
        lines.for_each(|line| sidestep::info!("{line}"));
        if let Some(line) = finding.line.filter(|_| finding.rule != Rule::CannotTell) {
            let note = Diagnostic::warning(codes::key::FOUND, &finding.message);
            step.annotate(note.in_file(&finding.place).at(line, 1));
        }
    }
}

/// Fails the step if the inputs say so.
fn fail(on: FailOn, findings: &[Finding], summary: &str) -> Result<()> {
    let fails = |finding: &&Finding| match on {
        FailOn::Never => false,
        FailOn::Keys => finding.rule.is_key(),
        FailOn::Any => true,
    };
    if !findings.iter().any(|finding| fails(&finding)) {
        return Ok(());
    }
    let error = Error::new(Class::Failed, codes::key::FOUND, Owner::Author, summary)
        .help("follow the steps below each finding");
    Err(error.detail("findings", sidestep::serde_json::json!(findings)))
}

impl Rule {
    /// Returns the level of its findings in SARIF.
    pub(crate) fn level(self) -> &'static str {
        match self {
            _ if self.is_key() => "error",
            Self::CannotTell => "note",
            _ => "warning",
        }
    }
}
