//! Dockerfiles, as kaniko reads them.

use super::{Class, Code, Owner, codes};

codes! {
    dockerfile {
        MISSING = "dockerfile.missing", [InvalidInput] [Author]
            "the file does not exist"
            "name it with `dockerfile`, relative to `path`";
        NOT_SENT = "dockerfile.not-sent", [InvalidInput] [Author]
            "the step that packs the context does not send it: the ignore file leaves it out, or its name does not contain `dockerfile`"
            "name it in that step's `dockerfile` too";
        SYNTAX = "dockerfile.syntax", [InvalidInput] [Author]
            "kaniko's parser rejects a line"
            "correct it at the named place";
        QUOTES = "dockerfile.quotes", [InvalidInput] [Author]
            "the quotes of a default do not match"
            "close them";
        SUBSTITUTION = "dockerfile.substitution", [InvalidInput] [Author]
            "`${…}` is not a valid substitution"
            "correct it";
        NO_STAGE = "dockerfile.no-stage", [InvalidInput] [Author]
            "`target` is not the name of a stage. kaniko accepts a stage's name in any case, and no number"
            "name a stage";
        STAGE_TWICE = "dockerfile.stage-twice", [] []
            "two stages have the same name: kaniko uses sometimes the first and sometimes the last"
            "give one of them another name";
        ARG_UNSET = "dockerfile.arg-unset", [InvalidInput] [Author]
            "a `FROM` needs an ARG that has no value, or that stands below the first `FROM`, or that Docker sets there and kaniko does not (`TARGETARCH` and its kin). An error where no image's name is left, else a warning"
            "give it a default, or a value in `buildArgs`";
        ARG_UNKNOWN = "dockerfile.arg-unknown", [] []
            "`buildArgs` has an argument that no ARG declares"
            "declare it where it is used, or remove it";
        IMAGE_NAME = "dockerfile.image-name", [InvalidInput] [Author]
            "a `FROM` has an invalid image name"
            "write `[HOST/]NAME[:TAG][@sha256:DIGEST]`";
        PLATFORM = "dockerfile.platform", [] []
            "`--platform` of a `FROM` is ignored: the step's `platform` counts, or the node's"
            "set the step's `platform`";
        COPY_FROM = "dockerfile.copy-from", [InvalidInput] [Author]
            "`--from` names a stage that does not come before, a number without a stage, a variable (kaniko replaces none there), or nearly a stage's name"
            "name an earlier stage";
        COPY_SOURCE = "dockerfile.copy-source", [InvalidInput] [Author]
            "a source is outside the context, or a `COPY` has a URL"
            "copy from within the context; ADD downloads";
        COPIED_LINK = "dockerfile.copied-link", [] []
            "a source is a link: Docker copies what it leads to, kaniko copies the link, and the stage copies nothing to where that leads. Known where another step of the pipeline packs the context"
            "copy what the link leads to";
        COPY_TO = "dockerfile.copy-to", [InvalidInput] [Author]
            "several sources, and a destination without `/` at its end"
            "end it with a slash";
        COPY_OWNER = "dockerfile.copy-owner", [] []
            "files that are copied after a `USER` belong to that user, and to root with Docker"
            "say whose they are with `--chown`";
        ADD_GIT = "dockerfile.add-git", [] []
            "`ADD` of a repository: kaniko clones nothing"
            "clone it in an earlier step";
        CHMOD = "dockerfile.chmod", [InvalidInput] [Author]
            "`--chmod` has an invalid mode"
            "write `0755`, or `u=rwX,go=rX`";
        IGNORED_FLAG = "dockerfile.ignored-flag", [] []
            "`--parents`, `--exclude`, `--checksum`, `--unpack`, `--keep-git-dir`: parsed and ignored"
            "do it in a RUN, or build with BuildKit";
        HEREDOC_RUN = "dockerfile.heredoc-run", [] []
            "`RUN <<EOF` runs its lines with `sh`, even if they begin with `#!`; `<<-EOF`, `<<\"EOF\"` and two here-documents run nothing"
            "write the lines into a script";
        HEREDOC_VARIABLES = "dockerfile.heredoc-variables", [] []
            "variables in a file of a here-document are not replaced"
            "quote the name, or write the file in a RUN";
        MOUNT = "dockerfile.mount", [InvalidInput] [Author]
            "an invalid mount"
            "correct it";
        SECRET = "dockerfile.secret", [InvalidInput] [Author]
            "a secret, which kaniko does not provide"
            "take what it gives from an earlier step";
        RUN_OPTION = "dockerfile.run-option", [] []
            "options that kaniko ignores: mounts from a stage, `ssh`, `tmpfs`, `--network`, `--security`, `--device`"
            "where the line needs it, build with BuildKit";
        LABEL_TWICE = "dockerfile.label-twice", [] []
            "kaniko expands a label's value twice: a single quote fails, JSON loses its quotes"
            "escape it once more";
        ONBUILD = "dockerfile.onbuild", [InvalidInput] [Author]
            "an `ONBUILD` that cannot run in the stage that builds on it"
            "correct it";
        PORT = "dockerfile.port", [InvalidInput] [Author]
            "a protocol other than `tcp` and `udp`"
            "write one of the two";
        SIGNAL = "dockerfile.signal", [InvalidInput] [Author]
            "an unknown signal"
            "write a number or a name: `SIGTERM`";
        MAINTAINER = "dockerfile.maintainer", [] []
            "`MAINTAINER`, which kaniko ignores"
            "write a LABEL";
        SYNTAX_IMAGE = "dockerfile.syntax-image", [] []
            "another frontend in `# syntax=`, which kaniko ignores"
            "do without what only that frontend knows";
        ESCAPE = "dockerfile.escape", [] []
            "a backtick in `# escape=`, which kaniko honours at line ends only"
            "use backslashes";
    }
}
