//! Links 1 and 2: the project, and the APIs that have to be enabled.

use sidestep::gcp::project::{ProjectInfo, ServiceQuery};
use sidestep::google::enable_apis;
use sidestep::{Class, Result, codes};

use crate::commands;
use crate::identity::{Way, Workload};
use crate::targets::{Target, api};
use crate::verdict::{Verdict, and, cloud, helps, unread};

/// Link 1: the project exists.
pub(crate) fn project(
    workload: &Workload,
    read: Result<ProjectInfo>,
    caller: &str,
) -> Result<Verdict> {
    let id = &workload.project;
    match read {
        Ok(project) if project.state != "ACTIVE" => Ok(Verdict::Broken(
            cloud(
                Class::NotFound,
                codes::identity::PROJECT_MISSING,
                format!("project {id} is {}", project.state),
            )
            .help("within 30 days of the deletion, its owner can restore it:")
            .helps(commands::undelete_project(id)),
        )),
        Ok(project) => Ok(Verdict::Holds(format!("{id}, number {}", project.number))),
        Err(error) if error.is_not_found() => Ok(Verdict::Broken(
            cloud(
                Class::NotFound,
                codes::identity::PROJECT_MISSING,
                format!("there is no project {id}"),
            )
            .help("`cluster` contains the project's id, not its display name"),
        )),
        Err(error) => unread(caller, &format!("project {id}"), error),
    }
}

/// An API, and whether it is required.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Api {
    pub(crate) project: String,
    pub(crate) name: &'static str,
    pub(crate) needed: bool,
}

impl Api {
    pub(crate) fn query(&self) -> ServiceQuery {
        ServiceQuery {
            project: self.project.clone(),
            service: self.name.to_owned(),
        }
    }

    /// `artifactregistry`.
    fn short(&self) -> &str {
        self.name.trim_end_matches(".googleapis.com")
    }
}

/// Returns the APIs to check. `way` is `None` while the form is unknown.
pub(crate) fn apis(workload: &Workload, way: Option<&Way>, targets: &[Target]) -> Vec<Api> {
    let mut apis = Vec::new();
    let mut add = |project: &str, name, needed| {
        let api = Api {
            project: project.to_owned(),
            name,
            needed,
        };
        if !apis.contains(&api) {
            apis.push(api);
        }
    };
    add(&workload.project, "container.googleapis.com", true);
    if way != Some(&Way::Direct) {
        add(&workload.project, "iamcredentials.googleapis.com", true);
    }
    // GKE's own how-to does not ask for it.
    add(&workload.project, "sts.googleapis.com", false);
    for (project, name) in targets.iter().filter_map(|target| api(&target.resource)) {
        add(project, name, true);
    }
    apis
}

/// Link 2: the APIs are enabled. `answers` are those of [`apis`], in order.
pub(crate) fn enabled(apis: &[Api], answers: Vec<Result<bool>>, caller: &str) -> Result<Verdict> {
    let mut unknown = None;
    let (mut on, mut off): (Vec<&Api>, Vec<&Api>) = (Vec::new(), Vec::new());
    for (api, answer) in apis.iter().zip(answers) {
        match answer {
            Ok(true) => on.push(api),
            Ok(false) => off.push(api),
            Err(error) => {
                let what = format!("the enabled APIs of project {}", api.project);
                unknown.get_or_insert(unread(caller, &what, error)?);
            }
        }
    }
    let needed: Vec<&Api> = off.iter().copied().filter(|api| api.needed).collect();
    if !needed.is_empty() {
        let names: Vec<String> = needed
            .iter()
            .map(|api| format!("{} in {}", api.name, api.project))
            .collect();
        let verb = if needed.len() == 1 { "is" } else { "are" };
        let mut error = cloud(
            Class::Denied,
            codes::identity::API_DISABLED,
            format!("{} {verb} not enabled", and(&names)),
        )
        .help("an editor of the project can enable the missing APIs:");
        for (index, api) in needed.iter().enumerate() {
            let first = needed.iter().position(|other| other.project == api.project);
            if first != Some(index) {
                continue;
            }
            let names = off.iter().filter(|other| other.project == api.project);
            let names: Vec<&str> = names.map(|other| other.name).collect();
            error = error.helps(enable_apis(&names, &api.project));
        }
        return Ok(Verdict::Broken(
            error.help("it can take some minutes to take effect"),
        ));
    }
    if let Some(unknown) = unknown {
        return Ok(unknown);
    }
    let names: Vec<&str> = on.iter().map(|api| api.short()).collect();
    let detail = format!("{} enabled", and(&names));
    Ok(match off.as_slice() {
        [] => Verdict::Holds(detail),
        [api, ..] => Verdict::Warns(
            format!(
                "{detail}; {} is not, but GKE does not require it",
                api.short()
            ),
            helps(enable_apis(&[api.name], &api.project)),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::example;
    use sidestep::google::{Repository, Resource};

    fn asked() -> Vec<Api> {
        let target = Target {
            resource: Resource::Repository(Repository {
                project: "shared".to_owned(),
                location: "europe".to_owned(),
                name: "images".to_owned(),
            }),
            permissions: Vec::new(),
            object: None,
        };
        let identity = example(Way::As("b@demo.iam.gserviceaccount.com".to_owned()));
        apis(&identity.workload, Some(&identity.way), &[target])
    }

    fn judge(off: &[&str]) -> Verdict {
        let asked = asked();
        let answers = asked
            .iter()
            .map(|api| Ok(!off.contains(&api.short())))
            .collect();
        enabled(&asked, answers, "dev@x").expect("a verdict")
    }

    #[test]
    fn what_is_missing_is_enabled_project_by_project() {
        assert_eq!(
            judge(&[]),
            Verdict::Holds(
                "container, iamcredentials, sts and artifactregistry enabled".to_owned()
            )
        );
        let error = judge(&["iamcredentials", "sts", "artifactregistry"]).broken();
        assert_eq!(error.code, "identity.api-disabled");
        assert!(error.help.iter().any(|help| *help == "gcloud services enable iamcredentials.googleapis.com sts.googleapis.com --project demo"), "{error:?}");
        assert!(error.help.iter().any(|help| *help
            == "gcloud services enable artifactregistry.googleapis.com --project shared"));
    }

    #[test]
    fn sts_is_a_warning() {
        assert!(matches!(judge(&["sts"]), Verdict::Warns(_, help) if help.len() == 1));
    }

    #[test]
    fn the_direct_form_needs_no_impersonation() {
        let asked = apis(&example(Way::Direct).workload, Some(&Way::Direct), &[]);
        assert!(asked.iter().all(|api| api.short() != "iamcredentials"));
    }

    #[test]
    fn a_project_is_there_or_not() {
        let workload = example(Way::Direct).workload;
        let info = |state: &str| ProjectInfo {
            id: "demo".to_owned(),
            number: 12,
            display_name: String::new(),
            state: state.to_owned(),
            parent: None,
        };
        let judge = |read| project(&workload, read, "dev@x").expect("a verdict");
        assert_eq!(
            judge(Ok(info("ACTIVE"))),
            Verdict::Holds("demo, number 12".to_owned())
        );
        assert!(judge(Ok(info("DELETE_REQUESTED"))).is_broken());
        let missing = cloud(Class::NotFound, "x", "no");
        assert_eq!(
            judge(Err(missing)).broken().code,
            "identity.project-missing"
        );
        let denied = cloud(Class::Denied, "x", "no");
        assert!(
            matches!(judge(Err(denied)), Verdict::Unknown(why) if why.contains("dev@x lacks permission"))
        );
    }
}
