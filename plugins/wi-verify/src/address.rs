//! The address of a Google service account, as annotations spell it.

/// What is wrong with the spelling of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misspelt {
    /// What it is in place of an address.
    pub(crate) what: &'static str,
    /// The address that is most likely meant.
    pub(crate) meant: Option<String>,
}

/// Checks that a text is an address and nothing else. `project` is where an account lies whose
/// project is not said.
pub(crate) fn check(text: &str, project: &str) -> Result<(), Misspelt> {
    if is_address(text) {
        return Ok(());
    }
    let bare = text.trim();
    let unquoted = bare.trim_matches(['"', '\'', '`']);
    let unprefixed = unquoted.strip_prefix("serviceAccount:");
    let last = unquoted.rsplit('/').next().unwrap_or(unquoted);
    let what = if bare.is_empty() {
        "empty"
    } else if bare.contains(['$', '{', '}']) {
        "a template whose variables were not replaced"
    } else if bare != unquoted {
        "in quotes, which belong to it"
    } else if unprefixed.is_some() {
        "a policy's member, not an address"
    } else if unquoted.contains("serviceAccounts/") {
        "a resource's name, not an address"
    } else if !bare.contains('@') {
        "a name, not an address"
    } else if text != bare {
        "an address with blanks around it"
    } else {
        "not the address of a service account"
    };
    let candidate = unprefixed.unwrap_or(last);
    let filled = replace_variables(candidate, project);
    let meant = if filled.contains('@') {
        filled
    } else {
        format!("{filled}@{project}.iam.gserviceaccount.com")
    };
    Err(Misspelt {
        what,
        meant: is_address(&meant).then_some(meant),
    })
}

/// Addresses of service accounts: `NAME@PROJECT.iam.gserviceaccount.com`, with a domain in the
/// project's place for projects of one, and those that Google makes
/// (<https://cloud.google.com/iam/docs/service-account-types>).
fn is_address(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let is_word = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(plain) && !part.starts_with('-')
    };
    is_word(name) && domain.ends_with(".gserviceaccount.com") && domain.split('.').all(is_word)
}

/// Puts the project in the place of each `${VARIABLE}` and `$VARIABLE` whose name says that it is
/// one.
fn replace_variables(text: &str, project: &str) -> String {
    let mut filled = text.to_owned();
    for name in [
        "PROJECT_ID",
        "GOOGLE_CLOUD_PROJECT",
        "GCP_PROJECT",
        "PROJECT",
    ] {
        filled = filled.replace(&format!("${{{name}}}"), project);
        filled = filled.replace(&format!("${name}"), project);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

    #[test]
    fn addresses_of_every_kind_of_account_are_right() {
        for address in [
            BUILDER,
            "123-compute@developer.gserviceaccount.com",
            "demo@appspot.gserviceaccount.com",
            "builder@demo.example.com.iam.gserviceaccount.com",
        ] {
            assert_eq!(check(address, "demo"), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_misspelt_address_says_what_it_is_and_what_is_meant() {
        for (text, what) in [
            (
                "projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
                "a resource's name, not an address",
            ),
            ("builder", "a name, not an address"),
            (
                "\"builder@demo.iam.gserviceaccount.com\"",
                "in quotes, which belong to it",
            ),
            (
                "serviceAccount:builder@demo.iam.gserviceaccount.com",
                "a policy's member, not an address",
            ),
            (
                "builder@${PROJECT_ID}.iam.gserviceaccount.com",
                "a template whose variables were not replaced",
            ),
            (
                " builder@demo.iam.gserviceaccount.com",
                "an address with blanks around it",
            ),
        ] {
            let meant = Some(BUILDER.to_owned());
            assert_eq!(check(text, "demo"), Err(Misspelt { what, meant }), "{text}");
        }
        for text in [
            "",
            "builder@${REGION}",
            "dev@example.com",
            "$(rm -rf ~)@x",
            "-x@y",
        ] {
            let misspelt = check(text, "demo").expect_err("no address");
            assert_eq!(misspelt.meant, None, "{text}");
        }
    }
}
