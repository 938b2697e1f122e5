//! Grants, policies, settings and secrets.

use super::{Class, Code, Owner, codes};

codes! {
    command {
        WRONG = "command.wrong", [InvalidInput] [Operator]
            "a flag's value, or a file, step or run that is not there"
            "correct the command line";
    }
    grant {
        MISSING = "grant.missing", [Refused] [Author]
            "a step requests or calls something that no grant covers (exit 3)"
            "`sidestep plan --suggest-grants` prints it";
        NOT_REQUESTED = "grant.not-requested", [InvalidInput] [Author]
            "an entry of `grants` is for something that the plugin does not request"
            "remove it";
        SCOPE = "grant.scope", [Refused] [Author]
            "a call lies outside the step's grant (exit 3); the help shows what the grant covers. A folder is packed only if the step may read all of it (`app/**`), so that packing tells nothing about other files"
            "widen the step's `grants`";
        SECRETS = "grant.secrets", [InvalidInput] [Author]
            "`grants` has `secrets`"
            "write `secrets: [NAME]` beside `grants`";
        WRONG = "grant.wrong", [InvalidInput] [Author]
            "an entry of `grants` is not a grant"
            "correct what the message names";
    }
    policy {
        AUDIT = "policy.audit", [] []
            "a warning: a policy in audit mode would have refused this"
            "grant less, or change the policy before it is enforced";
        NOT_OWN = "policy.not-own", [Refused] [Operator]
            "another user owns a policy in a standard place, or can write to it or to its folder (exit 6); the message names owner and mode. Policies that `--policy` or `SIDESTEP_POLICY` name may belong to anybody, since they only narrow"
            "the printed command";
        REFUSED = "policy.refused", [Refused] [Author]
            "the operator's policy does not allow it, or does not list the plugin (exit 3); its file and line are named"
            "ask the operator, or do without it";
        UNREADABLE = "policy.unreadable", [Failed] [Operator]
            "a policy can't be read (exit 6)"
            "correct the path or its permissions";
        WRONG = "policy.wrong", [InvalidInput] [Operator]
            "a policy has an unknown key or a wrong value (exit 6)"
            "correct it at the named place";
    }
    settings {
        ENDPOINT = "settings.endpoint", [InvalidInput] [Operator]
            "an endpoint in the settings can't be used"
            "correct it";
        NO_HOME = "settings.no-home", [Failed] [Operator]
            "neither `HOME` nor `XDG_STATE_HOME` is set, so there is no folder for runs or for sandboxes (exit 6)"
            "set `SIDESTEP_STATE=dir:/PATH`; for sandboxes `XDG_STATE_HOME`";
        NOT_OWN = "settings.not-own", [] []
            "a warning: another user owns a settings file, or can write to it or to its folder, so it is not used"
            "the printed command";
        WRONG = "settings.wrong", [InvalidInput] [Operator]
            "a setting can't be read (exit 6)"
            "correct it at the named place";
    }
    secret {
        COMPOSE = "secret.compose", [InvalidInput] [Plugin]
            "a plugin composes a secret of parts that don't make one"
            "for the plugin's author";
        DAMAGED = "secret.damaged", [Unavailable] [Cloud]
            "Secret Manager sent other bytes than it stores"
            "retry";
        IN_ENV = "secret.in-env", [InvalidInput] [Author]
            "a variable is in `env`, so that the plan would hold it, and a secret comes from it"
            "remove it from `env`";
        MISSING = "secret.missing", [NotFound] [Operator]
            "a secret's variable is not set, or its file can't be read. `file:` names a regular file of at most 1 MiB beneath the workspace, by a relative path without `..`"
            "set the variable; files elsewhere need a pattern in the setting `secretFiles`";
        NOT_FOUND = "secret.not-found", [NotFound] [Author]
            "the pipeline has no such secret"
            "name it in the pipeline's `secrets`, and in the step's";
        NOT_TEXT = "secret.not-text", [InvalidInput] [Author]
            "a secret of Secret Manager is not UTF-8 text"
            "store binary secrets in base64";
        SOURCE = "secret.source", [InvalidInput] [Author]
            "a secret comes from no place, from several, or from one that can't be"
            "write `env: VARIABLE`, `file:` or `secretManager:`";
        TOO_LARGE = "secret.too-large", [Exhausted] [Operator]
            "a secret is too long to [be masked](secrets.md), so it is not used"
            "store it in parts, or as a file that no plugin prints";
        TOO_SHORT = "secret.too-short", [InvalidInput] [Operator]
            "a secret is too short to [be masked](secrets.md), so it is not used"
            "use a longer one";
        UNKNOWN = "secret.unknown", [InvalidInput] [Author]
            "a step lists a secret that the pipeline does not have"
            "add it to the pipeline's `secrets`";
    }
}
