//! `COPY` and `ADD` after a `USER`: kaniko gives the files to that user, Docker to root.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::Kind;

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut users: Vec<Option<&str>> = vec![None; reading.plan.needed.len()];
    let mut found = Vec::new();
    for stage in reading.needed() {
        let base = reading.plan.bases[stage].stage;
        let mut user = base.and_then(|base| users[base]);
        // One remark a user: what it says holds for all that follows.
        let mut told = false;
        for instruction in &reading.dockerfile.stages[stage].instructions {
            match &instruction.kind {
                Kind::User(word) => {
                    user = Some(word.text.as_str());
                    told = false;
                }
                Kind::Copy(_) | Kind::Add(_)
                    if !told
                        && instruction.flag("chown").is_none()
                        && instruction.flag("from").is_none() =>
                {
                    let Some(user) = user.filter(|user| !is_root(user)) else {
                        continue;
                    };
                    told = true;
                    let keyword = instruction.keyword.text.to_uppercase();
                    let message = format!(
                        "kaniko makes `{user}`, set by USER, the owner of the copied files; Docker makes root the owner"
                    );
                    found.push(
                        reading
                            .warning(codes::dockerfile::COPY_OWNER, instruction.keyword.at, message)
                            .help(format!(
                                "to get the same owner from both, write `{keyword} --chown={user} …`, or `--chown=0:0` for root"
                            )),
                    );
                }
                _ => {}
            }
        }
        users[stage] = user;
    }
    found
}

fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    name.trim_matches(['"', '\'']) == "root" || name == "0"
}
