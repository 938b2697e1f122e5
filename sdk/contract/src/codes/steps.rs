//! Steps and what they leave.

use super::{Class, Code, Owner, codes};

codes! {
    step {
        CYCLE = "step.cycle", [InvalidInput] [Author]
            "steps wait for each other"
            "remove one of their `needs`, or one of the outputs that they read";
        FIELD = "step.field", [InvalidInput] [Author]
            "an expression reads something else of a step than `outputs` and `status`"
            "read one of the two";
        FINALLY = "step.finally", [InvalidInput] [Author]
            "a step waits for one of `finally`, which runs last"
            "move one of the two";
        NO_ROOM = "step.no-room", [Exhausted] [Operator]
            "there is no room for the step below the ceiling of memory, and no other step runs that could make some"
            "raise `memory` in the settings";
        TIMED_OUT = "step.timed-out", [TimedOut] [Author]
            "the step was not complete, outputs checked, within its `timeout`; the message says when it ended or was stopped; exit 5"
            "give it longer, or see in its log what it waited for";
        TWICE = "step.twice", [InvalidInput] [Author]
            "two steps have one id"
            "give one of the two another id";
        UNKNOWN = "step.unknown", [InvalidInput] [Author]
            "a step names one that does not exist"
            "correct the name";
        LIST = "step.list", [InvalidInput] [Author]
            "an expression reads the outputs of a step with a matrix as if it were one step"
            "read one of the list, or the whole list";
    }
    output {
        NOT_JSON = "output.not-json", [Failed] [Plugin]
            "the outputs are not a JSON object"
            "for the plugin's author";
        SECRET = "output.secret", [Failed] [Plugin]
            "an output holds a known secret, and secrets are stored nowhere"
            "for the plugin's author";
        TOO_LARGE = "output.too-large", [Exhausted] [Plugin]
            "the outputs are more than a step may keep"
            "give large results as an object or an artifact";
        UNKNOWN = "output.unknown", [InvalidInput] [Author]
            "an output that the plugin of that step does not have"
            "correct the name";
        UNWRITABLE = "output.unwritable", [Failed] [Operator]
            "standard output did not take everything that a command printed, such as on a full disk (exit 1, unless the command failed otherwise); a reader that closed the pipe is no error"
            "free space, or write elsewhere";
        WRONG = "output.wrong", [InvalidInput] [Author]
            "an output of the pipeline can't be evaluated"
            "correct its expression";
    }
    checkpoint {
        NOT_JSON = "checkpoint.not-json", [InvalidInput] [Plugin]
            "a checkpoint is not JSON"
            "for the plugin's author";
        SECRET = "checkpoint.secret", [InvalidInput] [Plugin]
            "a checkpoint holds a known secret, and secrets are stored nowhere"
            "for the plugin's author";
        TOO_LARGE = "checkpoint.too-large", [InvalidInput] [Plugin]
            "a checkpoint is larger than is kept"
            "for the plugin's author";
    }
    name {
        SECRET = "name.secret", [InvalidInput] [Plugin]
            "the name of something to be created holds a known secret"
            "for the plugin's author";
    }
    limit {
        HOST_CALLS = "limit.host-calls", [Exhausted] [Plugin]
            "the step made more host calls than a step may"
            "for the plugin's author";
        HOST_MEMORY = "limit.host-memory", [Exhausted] [Plugin Operator]
            "a call would take more of the host's memory than a step has for its calls (64 MiB)"
            "the plugin should pass less at once, or blobs";
    }
    log {
        FULL = "log.full", [Exhausted] [Plugin]
            "the step's own lines have more than 64 MiB, or the run's log files more than the setting `logLimit`, of which one step may use a quarter, and half is kept in equal parts for the steps that are still to end"
            "large results belong in an object or an artifact; else raise the setting";
    }
    journal {
        FULL = "journal.full", [Exhausted] [Plugin]
            "the run's journal has as many bytes as the setting `journalLimit` allows, of which one step may use a quarter, and half is kept in equal parts for the steps that are still to end. What the runner itself has to record has room beyond"
            "find out what the step writes so much of; else raise the setting";
    }
    call {
        INTERRUPTED = "call.interrupted", [] []
            "a host call ended without an answer, since its step was stopped; only a run's record of its calls has it"
            "nothing";
    }
    run {
        CANCELLED = "run.cancelled", [Cancelled] [Operator]
            "the run was stopped before the step's end"
            "`sidestep resume`";
        DETACHED = "run.detached", [] []
            "a warning: the run was detached, and what it made outside goes on"
            "the printed commands";
    }
    cleanup {
        TIMED_OUT = "cleanup.timed-out", [TimedOut] [Cluster]
            "nobody answered within the time for cleaning up, so that something may still be there"
            "`sidestep gc`";
    }
}
