//! `HEALTHCHECK`, and the flags of `RUN`.

use super::{at_least_one, command};
use crate::{Error, Flag, Healthcheck, duration::duration, node::Rest};

pub(super) fn healthcheck(rest: Rest, flags: &[Flag]) -> Result<Healthcheck, Error> {
    let Rest::Check(kind, rest) = rest else {
        return at_least_one("HEALTHCHECK");
    };
    let upper = kind.text.to_uppercase();
    let is_empty = match &*rest {
        Rest::Words(words) | Rest::List(words) => words.is_empty(),
        _ => false,
    };
    match upper.as_str() {
        "NONE" if is_empty => return Ok(Healthcheck::None),
        "NONE" => return Err(Error::new(kind.at, "HEALTHCHECK NONE takes no arguments")),
        "CMD" if is_empty => {
            return Err(Error::new(kind.at, "Missing command after HEALTHCHECK CMD"));
        }
        "CMD" => {}
        _ => {
            let message = format!("Unknown type {upper:?} in HEALTHCHECK (try CMD)");
            return Err(Error::new(kind.at, message));
        }
    }
    for flag in flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let fault = |message: String| Err(Error::new(flag.at, message));
        if flag.name == "retries" {
            match value.parse::<i32>() {
                Ok(count) if count < 0 => {
                    return fault(format!("--retries cannot be negative ({count})"));
                }
                Err(_) if !value.is_empty() => {
                    return fault(format!(
                        "strconv.ParseInt: parsing {value:?}: invalid syntax"
                    ));
                }
                _ => {}
            }
        } else if !value.is_empty() {
            match duration(value) {
                Err(why) => return fault(why),
                Ok(time) if time != 0 && time < 1_000_000 => {
                    return fault(format!("Interval {:?} cannot be less than 1ms", flag.name));
                }
                Ok(_) => {}
            }
        }
    }
    Ok(Healthcheck::Command(command(*rest, &kind)))
}

/// Checks the flags of `RUN` whose values are parsed before the build.
pub(super) fn run_flags(flags: &[Flag]) -> Result<(), Error> {
    for flag in flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let fault = |message: String| Err(Error::new(flag.at, message));
        match flag.name.as_str() {
            "network" if !["default", "none", "host"].contains(&value) => {
                return fault(format!("invalid network mode {value:?}"));
            }
            "security" if !["insecure", "sandbox"].contains(&value) => {
                return fault(format!("security {value:?} is not valid"));
            }
            "mount" => {
                for (key, value) in value.split(',').filter_map(|field| field.split_once('=')) {
                    let variable = value.find('$').is_some_and(|at| at + 1 != value.len());
                    if key.eq_ignore_ascii_case("from") && variable {
                        return fault(format!(
                            "'{}' doesn't support variable expansion, define alias stage instead",
                            key.to_lowercase()
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
