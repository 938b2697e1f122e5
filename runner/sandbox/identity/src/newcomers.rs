//! New service accounts, which policies do not know at once.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::PolicyJson;
use crate::state::State;

/// The time between the creation of a service account and its first use as a member. It is counted
/// in policy writes, so that no test depends on a clock. Google says that it can take 60 seconds or
/// more (<https://cloud.google.com/iam/docs/service-accounts-create>).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Newcomers {
    /// The number of policy writes that refuse each new account.
    pub refusals: u32,
    /// The remaining refusals by address.
    waiting: std::collections::BTreeMap<String, u32>,
}

impl Newcomers {
    /// Records that an account was created.
    pub(crate) fn add(&mut self, email: &str) {
        if self.refusals > 0 {
            self.waiting.insert(email.to_owned(), self.refusals);
        }
    }

    /// Refuses a policy that names a new account; the error is Google's message for a 400.
    fn check(&mut self, policy: &PolicyJson) -> Result<(), String> {
        let lists = policy.get("bindings").and_then(Value::as_array);
        let members = lists
            .into_iter()
            .flatten()
            .filter_map(|list| list.get("members").and_then(Value::as_array))
            .flatten()
            .filter_map(Value::as_str);
        for email in members.filter_map(|member| member.strip_prefix("serviceAccount:")) {
            let Some(left) = self.waiting.get_mut(email) else {
                continue;
            };
            *left -= 1;
            if *left == 0 {
                self.waiting.remove(email);
            }
            return Err(format!("Service account {email} does not exist."));
        }
        Ok(())
    }
}

impl State {
    /// Refuses a policy that names an account which policies do not know yet.
    pub(crate) fn check_newcomers(&mut self, policy: &PolicyJson) -> Result<(), String> {
        self.newcomers.check(policy)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_account_is_refused_as_often_as_the_seed_says() {
        let mut newcomers = Newcomers {
            refusals: 2,
            ..Newcomers::default()
        };
        newcomers.add("new@p.iam.gserviceaccount.com");
        let policy = |member: &str| json!({"bindings": [{"role": "r", "members": [member]}]});
        let new = policy("serviceAccount:new@p.iam.gserviceaccount.com");
        assert_eq!(newcomers.check(&policy("user:a@x.org")), Ok(()));
        for _ in 0..2 {
            assert_eq!(
                newcomers.check(&new),
                Err("Service account new@p.iam.gserviceaccount.com does not exist.".to_owned())
            );
        }
        assert_eq!(newcomers.check(&new), Ok(()));
    }
}
