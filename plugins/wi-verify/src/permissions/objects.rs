//! Permissions that a bucket lacks as a whole, but that conditions may grant on single objects.

use sidestep::google::Resource;
use sidestep::google::condition::{OfObjects, is_of_objects, of_objects};

use super::{Decides, short};
use crate::held::Held;
use crate::identity::Identity;
use crate::roles::{self, Grant};
use crate::targets::Target;
use crate::verdict::{Verdict, and};

/// Judges a bucket on which permissions are lacking, if a condition on object names may grant them.
/// None if no object can make a difference.
pub(super) fn on_objects(
    identity: &Identity,
    target: &Target,
    lacking: &[&str],
    grants: &[Grant],
    held: Decides<'_>,
) -> Option<Verdict> {
    let Resource::Objects { bucket, prefix } = &target.resource else {
        return None;
    };
    if !lacking.iter().all(|permission| is_of_objects(permission)) {
        return None;
    }
    let place = target.resource.shown();
    // The prefixes on which everything is granted so far; all objects of the target at first.
    let mut common = vec![prefix.clone()];
    let mut undecided = None;
    for grant in grants {
        let conditions = match grant {
            Grant::Conditioned(conditions) => conditions,
            Grant::Unread => {
                return Some(Verdict::Unknown(format!(
                    "not checked: on gs://{bucket} as a whole, {} lacks {}; the bucket's policy, which may grant that on some objects, could not be read",
                    identity.who(),
                    and(lacking)
                )));
            }
            Grant::Given | Grant::Absent | Grant::Undecided(_) => return None,
        };
        let mut prefixes = Vec::new();
        for condition in conditions {
            match of_objects(&condition.expression, bucket) {
                OfObjects::Prefix(prefix) => prefixes.push(prefix),
                OfObjects::Path(path) => prefixes.push(format!("{path}/")),
                OfObjects::Undecided => undecided = Some(condition),
                // It holds for all objects, or for none.
                OfObjects::None => match held(std::slice::from_ref(condition), None) {
                    Held::Yes => prefixes.push(String::new()),
                    Held::No => {}
                    Held::Unknown(_) => undecided = Some(condition),
                },
            }
        }
        common = both(&common, &prefixes);
    }
    if common.is_empty() {
        let condition = undecided?;
        return Some(Verdict::Unknown(format!(
            "not checked: on {place}, access depends on the object, and the target names none in `object` ({})",
            roles::shown(std::slice::from_ref(condition))
        )));
    }
    // A prefix that a target names has to be granted whole.
    if !prefix.is_empty() && !common.contains(prefix) {
        return None;
    }
    let verbs: Vec<&str> = target.permissions.iter().map(|it| short(it)).collect();
    let objects: Vec<String> = common
        .iter()
        .map(|prefix| format!("gs://{bucket}/{prefix}*"))
        .collect();
    Some(Verdict::Holds(format!(
        "{}: {}",
        and(&objects),
        and(&verbs)
    )))
}

/// Returns the prefixes that are within one of each list, each once.
fn both(some: &[String], others: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (a, b) in some.iter().flat_map(|a| others.iter().map(move |b| (a, b))) {
        let narrower = if a.starts_with(b.as_str()) {
            a
        } else if b.starts_with(a.as_str()) {
            b
        } else {
            continue;
        };
        if !found.contains(narrower) {
            found.push(narrower.clone());
        }
    }
    found
}

/// Returns whether a grant on the place can give the missing permissions: lists and facts of a
/// bucket are not granted on single objects.
pub(super) fn on_prefix_only(place: &Resource, lacking: &[&str]) -> bool {
    match place {
        Resource::Objects { prefix, .. } if !prefix.is_empty() => {
            lacking.iter().all(|permission| is_of_objects(permission))
        }
        _ => true,
    }
}
