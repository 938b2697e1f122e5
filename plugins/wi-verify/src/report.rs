//! The findings, link by link: a line of the log each, and the failure at the first broken one.

use sidestep::serde_json::json;
use sidestep::{Error, Result};

use crate::outputs::{Finding, Status};
use crate::verdict::Verdict;

/// A link of the chain, by its number; 0 is how the caller itself gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link(u8);

/// The links' names, in order.
const NAMES: [&str; 17] = [
    "caller",
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
    pub(crate) const CALLER: Self = Self(0);
    pub(crate) const PROJECT: Self = Self(1);
    pub(crate) const APIS: Self = Self(2);
    pub(crate) const POOL: Self = Self(3);
    pub(crate) const NODES: Self = Self(4);
    pub(crate) const ACCOUNT: Self = Self(5);
    pub(crate) const ANNOTATION: Self = Self(6);
    pub(crate) const GOOGLE_ACCOUNT: Self = Self(7);
    pub(crate) const BINDING: Self = Self(8);
    pub(crate) const TOKEN: Self = Self(9);
    pub(crate) const PERMISSIONS: Self = Self(10);
    pub(crate) const UNIFORM: Self = Self(11);
    pub(crate) const PODS: Self = Self(12);
    pub(crate) const NETWORK: Self = Self(13);
    pub(crate) const START_UP: Self = Self(14);
    pub(crate) const PROPAGATION: Self = Self(15);
    pub(crate) const FORM: Self = Self(16);

    /// Returns its display name.
    pub(crate) fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
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
            .context(format!("link {}, {}", link.0, link.name()))
            .detail("link", link.0)
            .detail("links", findings)
    }

    fn add(&mut self, link: Link, status: Status, detail: String) {
        self.findings.push(Finding {
            link: link.0,
            name: link.name().to_owned(),
            status,
            detail,
        });
    }
}

/// Formats a line of the log: number, name and finding, in columns.
fn row(link: Link, detail: &str) -> String {
    format!("{:>2}  {:<15}  {detail}", link.0, link.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_columns() {
        assert_eq!(row(Link::POOL, "x"), " 3  workload pool    x");
        assert_eq!(row(Link::ACCOUNT, "x"), " 5  service account  x");
        assert_eq!(row(Link::FORM, "x"), "16  account form     x");
    }
}
