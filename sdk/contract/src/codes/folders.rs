//! The workspace and contexts of builds.

use super::{Class, Code, Owner, codes};

codes! {
    workspace {
        OUTSIDE = "workspace.outside", [Refused] [Author]
            "the path leaves the workspace, directly or through a link"
            "use paths and links that stay in the workspace";
        LINK_CHANGED = "workspace.link-changed", [Refused] [Author]
            "the target of a link has changed since the run was planned; a run reads only the files that its plan shows"
            "start a new run";
        LINK_LOOP = "workspace.link-loop", [InvalidInput] [Author]
            "the symbolic links in the path form a loop"
            "replace one of them with the file";
        NOT_FOUND = "workspace.not-found", [NotFound] [Author]
            "the file or folder does not exist"
            "check the path";
        NOT_A_FILE = "workspace.not-a-file", [InvalidInput] [Author]
            "the path is not a regular file"
            "use the path of a regular file";
        NOT_UTF8 = "workspace.not-utf8", [Failed] [Author]
            "the file is not UTF-8 text"
            "read the file as bytes, or convert it";
        TOO_LARGE = "workspace.too-large", [Exhausted] [Author]
            "the file is larger than the plugin reads at once"
            "pass the file on as a blob";
        CHANGING = "workspace.changing", [Conflict] [Author]
            "another process replaces the file each time Sidestep opens it"
            "stop the process that writes to that path";
        PATTERN = "workspace.pattern", [InvalidInput] [Author]
            "a pattern is not valid"
            "correct the pattern as the message says";
        TOO_MANY = "workspace.too-many", [Exhausted] [Author]
            "listing by a pattern has to read too many entries"
            "begin the pattern with a folder";
        UNREADABLE = "workspace.unreadable", [Failed] [Operator]
            "the workspace can't be opened"
            "check its permissions";
        IO = "workspace.io", [Failed] [Operator]
            "a file can't be read"
            "read the operating system's error in the message";
    }
    context {
        NOT_A_FOLDER = "context.not-a-folder", [InvalidInput] [Author]
            "the path to pack is not a folder"
            "use the path of a folder";
        PATTERN = "context.pattern", [InvalidInput] [Author]
            "the ignore file or one of its patterns is not valid; the ignore file must be a regular file of at most 1 MiB in the context"
            "correct the file or the pattern as the message says";
        CHANGED = "context.changed", [Conflict] [Author]
            "a file changed while it was packed"
            "stop the process that writes to the file, or ignore the file";
        OVERLAY = "context.overlay", [InvalidInput] [Author]
            "a file can't be added to the context"
            "correct the problem that the message names";
        REFUSED = "context.refused", [Refused] [Author]
            "the step lacks permission to read all the files to pack"
            "widen `workspace` in the step's `grants`";
        IO = "context.io", [Failed] [Operator]
            "a file of the context can't be read"
            "read the operating system's error in the message";
        UNREADABLE = "context.unreadable", [InvalidInput] [Author]
            "`sidestep context` can't read the context"
            "correct the problem that the message names";
        FILTERED_AGAIN = "context.filtered-again", [] []
            "a warning: the context was not packed by `context-upload`, so kaniko applies its `.dockerignore` again, [by other rules](dockerfiles.md#ignore-files)"
            "upload the context with `context-upload`";
    }
}
