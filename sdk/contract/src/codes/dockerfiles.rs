//! Dockerfiles, as kaniko reads them.

use super::{Class, Code, Owner, codes};

codes! {
    dockerfile {
        MISSING = "dockerfile.missing", [InvalidInput] [Author]
            "the file does not exist"
            "set `dockerfile` to its path, relative to `path`";
        NOT_SENT = "dockerfile.not-sent", [InvalidInput] [Author]
            "the step that packs the context does not send the file: the ignore file excludes it, or its name does not contain `dockerfile`"
            "name the file in that step's `dockerfile` too";
        SYNTAX = "dockerfile.syntax", [InvalidInput] [Author]
            "kaniko's parser rejects a line"
            "correct the line at the reported place";
        QUOTES = "dockerfile.quotes", [InvalidInput] [Author]
            "the quotes of a default value do not match"
            "close the quotes";
        SUBSTITUTION = "dockerfile.substitution", [InvalidInput] [Author]
            "`${…}` is not a valid substitution"
            "correct the substitution";
        NO_STAGE = "dockerfile.no-stage", [InvalidInput] [Author]
            "`target` is not the name of a stage. kaniko compares names without regard to case, and does not accept a number"
            "write the name of a stage";
        STAGE_TWICE = "dockerfile.stage-twice", [] []
            "two stages have the same name: kaniko sometimes uses the first and sometimes the last"
            "rename one of them";
        ARG_UNSET = "dockerfile.arg-unset", [InvalidInput] [Author]
            "a `FROM` uses an ARG that has no value, that is declared below the first `FROM`, or that Docker sets but kaniko does not (such as `TARGETARCH`). This is an error if no image name remains, otherwise a warning"
            "give the ARG a default value, or a value in `buildArgs`";
        ARG_UNKNOWN = "dockerfile.arg-unknown", [] []
            "`buildArgs` contains an argument that no ARG declares"
            "declare the argument where it is used, or remove it";
        IMAGE_NAME = "dockerfile.image-name", [InvalidInput] [Author]
            "a `FROM` has an invalid image name"
            "write `[HOST/]NAME[:TAG][@sha256:DIGEST]`";
        PLATFORM = "dockerfile.platform", [] []
            "kaniko ignores the `--platform` of a `FROM` and uses the step's `platform`, or else the node's"
            "set the step's `platform`";
        COPY_FROM = "dockerfile.copy-from", [InvalidInput] [Author]
            "`--from` names a stage that is not an earlier one, a number that no stage has, a variable (kaniko does not expand variables here), or a misspelled stage"
            "name an earlier stage";
        COPY_SOURCE = "dockerfile.copy-source", [InvalidInput] [Author]
            "a source is outside the context, or a `COPY` has a URL"
            "copy files from within the context; use ADD to download";
        COPIED_LINK = "dockerfile.copied-link", [] []
            "a source is a link: Docker copies the link's target, but kaniko copies the link itself, and the stage copies nothing to the path that the link points to. This is detected if another step of the pipeline packs the context"
            "copy the target of the link";
        COPY_TO = "dockerfile.copy-to", [InvalidInput] [Author]
            "an instruction has several sources, but its destination does not end with `/`"
            "end the destination with a slash";
        COPY_OWNER = "dockerfile.copy-owner", [] []
            "files that are copied after a `USER` belong to that user; with Docker, they belong to root"
            "set the owner with `--chown`";
        ADD_GIT = "dockerfile.add-git", [] []
            "`ADD` has a Git repository as its source, but kaniko does not clone repositories"
            "clone the repository in an earlier step";
        CHMOD = "dockerfile.chmod", [InvalidInput] [Author]
            "`--chmod` has an invalid mode"
            "write a mode such as `0755` or `u=rwX,go=rX`";
        IGNORED_FLAG = "dockerfile.ignored-flag", [] []
            "kaniko parses but ignores `--parents`, `--exclude`, `--checksum`, `--unpack` and `--keep-git-dir`"
            "do the same in a RUN, or build with BuildKit";
        HEREDOC_RUN = "dockerfile.heredoc-run", [] []
            "kaniko runs the lines of `RUN <<EOF` with `sh`, even if they begin with `#!`; with `<<-EOF`, `<<\"EOF\"` or two here-documents, it runs nothing"
            "put the lines into a script";
        HEREDOC_VARIABLES = "dockerfile.heredoc-variables", [] []
            "kaniko does not expand variables in a file that a here-document writes"
            "quote the here-document's delimiter to keep them, or write the file in a RUN to expand them";
        MOUNT = "dockerfile.mount", [InvalidInput] [Author]
            "a mount is not valid"
            "correct the mount";
        SECRET = "dockerfile.secret", [InvalidInput] [Author]
            "an instruction uses a secret that `buildSecrets` does not name"
            "add it to `buildSecrets`, or produce the result that needs the secret in an earlier step";
        RUN_OPTION = "dockerfile.run-option", [] []
            "an instruction has options that kaniko ignores: mounts from a stage, `ssh`, `tmpfs`, `--network`, `--security`, `--device`"
            "build with BuildKit if the instruction needs the option";
        LABEL_TWICE = "dockerfile.label-twice", [] []
            "kaniko expands the value of a label twice: a single quote causes an error, and JSON loses its quotes"
            "escape the value once more";
        ONBUILD = "dockerfile.onbuild", [InvalidInput] [Author]
            "an `ONBUILD` instruction can't run in the stage that builds on it"
            "correct the instruction";
        PORT = "dockerfile.port", [InvalidInput] [Author]
            "a protocol is neither `tcp` nor `udp`"
            "write one of the two";
        SIGNAL = "dockerfile.signal", [InvalidInput] [Author]
            "a signal is unknown"
            "write a number or a name such as `SIGTERM`";
        MAINTAINER = "dockerfile.maintainer", [] []
            "the Dockerfile contains `MAINTAINER`, which kaniko ignores"
            "write a LABEL";
        SYNTAX_IMAGE = "dockerfile.syntax-image", [] []
            "`# syntax=` names another frontend, which kaniko ignores"
            "remove the instructions that only that frontend supports";
        ESCAPE = "dockerfile.escape", [] []
            "`# escape=` sets a backtick, which kaniko supports at line ends only"
            "use backslashes";
    }
}
