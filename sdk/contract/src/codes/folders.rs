//! The workspace and contexts of builds.

use super::{Class, Code, Owner, codes};

codes! {
    workspace {
        OUTSIDE = "workspace.outside", [Refused] [Author]
            "the path leaves the workspace, or a link on it does"
            "use paths and links that stay in the workspace";
        LINK_CHANGED = "workspace.link-changed", [Refused] [Author]
            "a link leads elsewhere than when the run was planned; a run reads what its plan shows"
            "start a new run";
        LINK_LOOP = "workspace.link-loop", [InvalidInput] [Author]
            "the symbolic links of the path form a loop"
            "replace one of them with the file";
        NOT_FOUND = "workspace.not-found", [NotFound] [Author]
            "there is no such entry"
            "check the path";
        NOT_A_FILE = "workspace.not-a-file", [InvalidInput] [Author]
            "the entry is not a regular file"
            "read regular files";
        NOT_UTF8 = "workspace.not-utf8", [Failed] [Author]
            "the file is not UTF-8 text"
            "read its bytes, or convert it";
        TOO_LARGE = "workspace.too-large", [Exhausted] [Author]
            "the file has more bytes than the plugin reads at once"
            "pass it on as a blob";
        CHANGING = "workspace.changing", [Conflict] [Author]
            "the file behind the path is replaced each time that it is opened"
            "stop what writes there";
        PATTERN = "workspace.pattern", [InvalidInput] [Author]
            "a pattern can't be read"
            "correct what the message names";
        TOO_MANY = "workspace.too-many", [Exhausted] [Author]
            "a pattern makes a list look at too many entries"
            "begin patterns with a folder";
        UNREADABLE = "workspace.unreadable", [Failed] [Operator]
            "the workspace can't be opened"
            "see its permissions";
        IO = "workspace.io", [Failed] [Operator]
            "a file can't be read"
            "the message has the system's own words";
    }
    context {
        NOT_A_FOLDER = "context.not-a-folder", [InvalidInput] [Author]
            "the folder to pack is something else"
            "name a folder";
        PATTERN = "context.pattern", [InvalidInput] [Author]
            "the ignore file or a pattern can't be read; the ignore file is a regular file of the context of at most 1 MiB"
            "correct what the message names";
        CHANGED = "context.changed", [Conflict] [Author]
            "a file changed while it was packed"
            "stop what writes there, or ignore it";
        OVERLAY = "context.overlay", [InvalidInput] [Author]
            "a file that is to be added to the context can't be"
            "correct what the message names";
        REFUSED = "context.refused", [Refused] [Author]
            "the step may not read all that is packed"
            "widen `workspace` in the step's `grants`";
        IO = "context.io", [Failed] [Operator]
            "a file of the context can't be read"
            "the message has the system's own words";
        UNREADABLE = "context.unreadable", [InvalidInput] [Author]
            "`sidestep context` can't read the context"
            "correct what the message names";
        FILTERED_AGAIN = "context.filtered-again", [] []
            "a warning: the context was not packed by `context-upload`, so kaniko applies its `.dockerignore` again, [by other rules](dockerfiles.md#ignore-files)"
            "upload it with `context-upload`";
    }
}
