//! The findings, link by link: a line of the log each, and the failure at the first broken one.

use sidestep::serde_json::json;
use sidestep::{Error, Result};

use crate::outputs::{Finding, Status};
use crate::verdict::Verdict;

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The access of the runner itself, C0 to C6.
    Caller(u8),
    /// A link of the workload, 1 to 16.
    Workload(u8),
}

/// The names of the caller's links, in order.
const CALLERS: [&str; 7] = [
    "credential",
    "id token",
    "provider",
    "condition",
    "job's binding",
    "cluster access",
    "namespace",
];

/// The names of the workload's links, in order from 1.
const NAMES: [&str; 16] = [
    "project",
    "APIs",
    "workload pool",
    "node pools",
    "service account",
    "annotation",
    "Google account",
    "binding",
    "token",
    "permissions",
    "uniform access",
    "pods",
    "network",
    "start-up",
    "propagation",
    "account form",
];

impl Link {
    pub(crate) const CREDENTIAL: Self = Self::Caller(0);
    pub(crate) const ID_TOKEN: Self = Self::Caller(1);
    pub(crate) const PROVIDER: Self = Self::Caller(2);
    pub(crate) const CONDITION: Self = Self::Caller(3);
    pub(crate) const JOB_BINDING: Self = Self::Caller(4);
    pub(crate) const JOB_CLUSTER: Self = Self::Caller(5);
    pub(crate) const JOB_NAMESPACE: Self = Self::Caller(6);
    pub(crate) const PROJECT: Self = Self::Workload(1);
    pub(crate) const APIS: Self = Self::Workload(2);
    pub(crate) const POOL: Self = Self::Workload(3);
    pub(crate) const NODES: Self = Self::Workload(4);
    pub(crate) const ACCOUNT: Self = Self::Workload(5);
    pub(crate) const ANNOTATION: Self = Self::Workload(6);
    pub(crate) const GOOGLE_ACCOUNT: Self = Self::Workload(7);
    pub(crate) const BINDING: Self = Self::Workload(8);
    pub(crate) const TOKEN: Self = Self::Workload(9);
    pub(crate) const PERMISSIONS: Self = Self::Workload(10);
    pub(crate) const UNIFORM: Self = Self::Workload(11);
    pub(crate) const PODS: Self = Self::Workload(12);
    pub(crate) const NETWORK: Self = Self::Workload(13);
    pub(crate) const START_UP: Self = Self::Workload(14);
    pub(crate) const PROPAGATION: Self = Self::Workload(15);
    pub(crate) const FORM: Self = Self::Workload(16);

    /// Returns its display name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Caller(number) => CALLERS[usize::from(number)],
            Self::Workload(number) => NAMES[usize::from(number) - 1],
        }
    }

    /// Returns its number; 0 for the caller's links.
    fn number(self) -> u8 {
        match self {
            Self::Caller(_) => 0,
            Self::Workload(number) => number,
        }
    }

    /// Returns its id, such as `C2` or `8`.
    fn id(self) -> String {
        match self {
            Self::Caller(number) => format!("C{number}"),
            Self::Workload(number) => number.to_string(),
        }
    }
}

/// The column of the details.
const INDENT: usize = 21;

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Records a verdict; a broken link is the step's failure.
    pub(crate) fn take(&mut self, link: Link, verdict: Verdict) -> Result<()> {
        match verdict {
            Verdict::Holds(detail) => {
                sidestep::info!("{}", row(link, &detail));
                self.add(link, Status::Ok, detail);
            }
            Verdict::Skipped(detail) => {
                sidestep::info!("{}", row(link, &detail));
                self.add(link, Status::Skipped, detail);
            }
            Verdict::Unknown(detail) => {
                sidestep::warn!("{}", row(link, &detail));
                self.add(link, Status::Skipped, detail);
            }
            Verdict::Warns(detail, help) => {
                sidestep::warn!("{}", row(link, &detail));
                for line in help {
                    sidestep::info!("{:INDENT$}{line}", "");
                }
                self.add(link, Status::Warning, detail);
            }
            Verdict::Broken(error) => return Err(self.broken(link, error)),
        }
        Ok(())
    }

    /// Returns the findings.
    pub(crate) fn findings(self) -> Vec<Finding> {
        self.findings
    }

    fn broken(&mut self, link: Link, error: Error) -> Error {
        // The failure itself is shown whole right after.
        sidestep::error!("{}", row(link, "broken"));
        self.add(link, Status::Failed, error.message.clone());
        let findings = json!(self.findings);
        error
            .context(format!("link {}, {}", link.id(), link.name()))
            .detail("link", link.number())
            .detail("linkId", link.id())
            .detail("links", findings)
    }

    fn add(&mut self, link: Link, status: Status, detail: String) {
        self.findings.push(Finding {
            link: link.number(),
            id: link.id(),
            name: link.name().to_owned(),
            status,
            detail,
        });
    }
}

/// Formats a line of the log: number, name and finding, in columns.
fn row(link: Link, detail: &str) -> String {
    format!("{:>2}  {:<15}  {detail}", link.id(), link.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_columns() {
        assert_eq!(row(Link::POOL, "x"), " 3  workload pool    x");
        assert_eq!(row(Link::ACCOUNT, "x"), " 5  service account  x");
        assert_eq!(row(Link::FORM, "x"), "16  account form     x");
        assert_eq!(row(Link::PROVIDER, "x"), "C2  provider         x");
    }
}
