//! Claims of a plugin about its own failure.

use sidestep::{Class, Error, Owner, Result, Step, workspace};

use crate::Inputs;

const CLASSES: [Class; 10] = [
    Class::InvalidInput,
    Class::Refused,
    Class::Denied,
    Class::NotFound,
    Class::Conflict,
    Class::Unavailable,
    Class::Exhausted,
    Class::TimedOut,
    Class::Cancelled,
    Class::Failed,
];
const OWNERS: [Owner; 6] = [
    Owner::Author,
    Owner::Plugin,
    Owner::Cloud,
    Owner::Cluster,
    Owner::Operator,
    Owner::Sidestep,
];

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    Some(Err(match inputs.act.as_str() {
        // Claims the class, the code and the owner of `texts`, without any host call.
        "claims.fail" => claimed(inputs),
        // The same, after a granted read that succeeds.
        "claims.after-read" => match workspace::read("sidestep.yaml", 1 << 20) {
            Ok(_) => claimed(inputs),
            Err(error) => error,
        },
        // Makes a call that is not granted, and returns the refusal unchanged.
        "claims.hand-on" => refusal(),
        // The same, and makes the operator responsible for it.
        "claims.reword" => {
            let Error { help, message, .. } = refusal();
            help.into_iter().fold(
                Error::new(Class::Refused, "policy.refused", Owner::Operator, message),
                Error::help,
            )
        }
        // Details and help of `count` bytes each.
        "claims.huge" => claimed(inputs)
            .help("h".repeat(usize::try_from(inputs.count).unwrap_or_default()))
            .detail(
                "huge",
                "d".repeat(usize::try_from(inputs.count).unwrap_or_default()),
            ),
        _ => return None,
    }))
}

fn claimed(inputs: &Inputs) -> Error {
    let text = |index: usize| inputs.texts.get(index).map_or("", String::as_str);
    let class = CLASSES.into_iter().find(|one| one.as_str() == text(0));
    let owner = OWNERS.into_iter().find(|one| one.as_str() == text(2));
    Error::new(
        class.unwrap_or(Class::Failed),
        text(1),
        owner.unwrap_or(Owner::Plugin),
        "the moon is in the wrong phase",
    )
    .help("wait for the moon")
    .detail("phase", "waning")
}

fn refusal() -> Error {
    match workspace::read("secret.txt", 100) {
        Ok(_) => Error::failed("attacker.read-it", "the file was read"),
        Err(error) => error,
    }
}
