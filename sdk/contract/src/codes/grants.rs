//! Grants, policies, settings and secrets.

use super::{Class, Code, Owner, codes};

codes! {
    command {
        WRONG = "command.wrong", [InvalidInput] [Operator]
            "the value of a flag is wrong, or a file, step or run on the command line does not exist"
            "correct the command line";
    }
    grant {
        MISSING = "grant.missing", [Refused] [Author]
            "no grant covers a request or a call of the step (exit 3)"
            "run `sidestep plan --suggest-grants`, which prints the missing grant";
        NOT_REQUESTED = "grant.not-requested", [InvalidInput] [Author]
            "an entry of `grants` covers something that the plugin does not request"
            "remove the entry";
        SCOPE = "grant.scope", [Refused] [Author]
            "a call is outside the step's grant (exit 3); the help shows the scope of the grant. The runner packs a folder only if the step may read all of it (`app/**`), so that packing reveals nothing about other files"
            "widen the step's `grants`";
        SECRETS = "grant.secrets", [InvalidInput] [Author]
            "`grants` contains the key `secrets`"
            "write `secrets: [NAME]` next to `grants`";
        WRONG = "grant.wrong", [InvalidInput] [Author]
            "an entry of `grants` is not a valid grant"
            "correct the entry as the message says";
    }
    policy {
        AUDIT = "policy.audit", [] []
            "a warning: a policy in audit mode would have refused this"
            "grant less, or change the policy before it is enforced";
        NOT_OWN = "policy.not-own", [Refused] [Operator]
            "another user owns a policy in a standard location, or can write to the policy or its folder (exit 6); the message names the owner and the mode. A policy that `--policy` or `SIDESTEP_POLICY` names may belong to any user, because it can only narrow permissions"
            "run the printed command";
        REFUSED = "policy.refused", [Refused] [Author]
            "the operator's policy does not allow this, or does not list the plugin (exit 3); the message names the policy's file and line"
            "ask the operator to allow it, or change the pipeline";
        UNREADABLE = "policy.unreadable", [Failed] [Operator]
            "a policy file can't be read (exit 6)"
            "correct the path or the file's permissions";
        WRONG = "policy.wrong", [InvalidInput] [Operator]
            "a policy has an unknown key or a wrong value (exit 6)"
            "correct the policy at the reported place";
    }
    settings {
        ENDPOINT = "settings.endpoint", [InvalidInput] [Operator]
            "an endpoint in the settings is not usable"
            "correct the endpoint";
        NO_HOME = "settings.no-home", [Failed] [Operator]
            "neither `HOME` nor `XDG_STATE_HOME` is set, so Sidestep has no folder for runs or sandboxes (exit 6)"
            "set `SIDESTEP_STATE=dir:/PATH` for runs, or `XDG_STATE_HOME` for sandboxes";
        NOT_OWN = "settings.not-own", [] []
            "a warning: another user owns a settings file, or can write to it or to its folder, so Sidestep ignores it"
            "run the printed command";
        WRONG = "settings.wrong", [InvalidInput] [Operator]
            "a setting can't be read (exit 6)"
            "correct the setting at the reported place";
    }
    secret {
        COMPOSE = "secret.compose", [InvalidInput] [Plugin]
            "a plugin composes a secret from parts that do not form a valid secret"
            "report it to the plugin's author";
        DAMAGED = "secret.damaged", [Unavailable] [Cloud]
            "the bytes that Secret Manager sent differ from the bytes that it stores"
            "retry";
        IN_ENV = "secret.in-env", [InvalidInput] [Author]
            "a secret's variable is also listed in `env`, which would put the secret into the plan"
            "remove the variable from `env`";
        MISSING = "secret.missing", [NotFound] [Operator]
            "a secret's variable is not set, or its file can't be read. `file:` names a regular file of at most 1 MiB in the workspace, by a relative path without `..`"
            "set the variable; for a file elsewhere, add a pattern to the setting `secretFiles`";
        NOT_FOUND = "secret.not-found", [NotFound] [Author]
            "the pipeline does not declare this secret"
            "add the name to the pipeline's `secrets` and to the step's";
        NOT_TEXT = "secret.not-text", [InvalidInput] [Author]
            "a secret from Secret Manager is not UTF-8 text"
            "store binary secrets as base64";
        SOURCE = "secret.source", [InvalidInput] [Author]
            "a secret has no source, several sources, or a source that is not valid"
            "write `env: VARIABLE`, `file:` or `secretManager:`";
        TOO_LARGE = "secret.too-large", [Exhausted] [Operator]
            "a secret is too long to [be masked](secrets.md), so it is not used"
            "store the secret in parts, or as a file that no plugin prints";
        TOO_SHORT = "secret.too-short", [InvalidInput] [Operator]
            "a secret is too short to [be masked](secrets.md), so it is not used"
            "use a longer secret";
        UNKNOWN = "secret.unknown", [InvalidInput] [Author]
            "a step lists a secret that the pipeline does not declare"
            "add the secret to the pipeline's `secrets`";
    }
}
