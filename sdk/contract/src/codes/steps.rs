//! Steps and what they leave.

use super::{Class, Code, Owner, codes};

codes! {
    step {
        CYCLE = "step.cycle", [InvalidInput] [Author]
            "steps wait for each other"
            "remove one of their `needs`, or one of the outputs that they read";
        FIELD = "step.field", [InvalidInput] [Author]
            "an expression reads a field of a step other than `outputs` and `status`"
            "read one of the two";
        FINALLY = "step.finally", [InvalidInput] [Author]
            "a step waits for a step of `finally`, which runs last"
            "move one of the two";
        NO_ROOM = "step.no-room", [Exhausted] [Operator]
            "the step does not fit below the memory ceiling, and no other step is running that could free memory"
            "raise `memory` in the settings";
        TIMED_OUT = "step.timed-out", [TimedOut] [Author]
            "the step did not complete within its `timeout`, which includes the check of its outputs (exit 5); the message says when the step ended or was stopped"
            "give the step more time, or find in its log the operation that it waited for";
        TWICE = "step.twice", [InvalidInput] [Author]
            "two steps have the same id"
            "change one of the two ids";
        UNKNOWN = "step.unknown", [InvalidInput] [Author]
            "a step names a step that does not exist"
            "correct the name";
        LIST = "step.list", [InvalidInput] [Author]
            "an expression reads the outputs of a step with a matrix as if it were a single step"
            "read one entry of the list, or the whole list";
    }
    output {
        NOT_JSON = "output.not-json", [Failed] [Plugin]
            "the outputs are not a JSON object"
            "report it to the plugin's author";
        SECRET = "output.secret", [Failed] [Plugin]
            "an output contains a known secret, and Sidestep never stores secrets"
            "report it to the plugin's author";
        TOO_LARGE = "output.too-large", [Exhausted] [Plugin]
            "the outputs exceed the limit of a step"
            "return large results as an object or an artifact";
        UNKNOWN = "output.unknown", [InvalidInput] [Author]
            "the plugin of the step does not have this output"
            "correct the name";
        UNWRITABLE = "output.unwritable", [Failed] [Operator]
            "standard output did not accept everything that a command printed, for example because the disk is full (exit 1, unless the command failed for another reason); a reader that closes the pipe does not cause this error"
            "free disk space, or redirect the output";
        WRONG = "output.wrong", [InvalidInput] [Author]
            "an output of the pipeline can't be evaluated"
            "correct its expression";
    }
    checkpoint {
        NOT_JSON = "checkpoint.not-json", [InvalidInput] [Plugin]
            "a checkpoint is not JSON"
            "report it to the plugin's author";
        SECRET = "checkpoint.secret", [InvalidInput] [Plugin]
            "a checkpoint contains a known secret, and Sidestep never stores secrets"
            "report it to the plugin's author";
        TOO_LARGE = "checkpoint.too-large", [InvalidInput] [Plugin]
            "a checkpoint is larger than the limit"
            "report it to the plugin's author";
    }
    name {
        SECRET = "name.secret", [InvalidInput] [Plugin]
            "the name of a resource to create contains a known secret"
            "report it to the plugin's author";
    }
    limit {
        DISK = "limit.disk", [Exhausted] [Plugin]
            "the blobs of a step (opened objects, archives and overlays) would take more than 8 GiB of the runner's disk"
            "ask the plugin's author to drop each blob before opening the next";
        HOST_CALLS = "limit.host-calls", [Exhausted] [Plugin]
            "the step exceeded the limit on host calls"
            "report it to the plugin's author";
        HOST_MEMORY = "limit.host-memory", [Exhausted] [Plugin Operator]
            "a call would exceed the host memory that is available to a step's calls (64 MiB)"
            "ask the plugin's author to pass less data at once, or to pass blobs";
    }
    log {
        FULL = "log.full", [Exhausted] [Plugin]
            "the step's own lines exceed 128 MiB, or the run's log files exceed the setting `logLimit`. One step may use a quarter of that limit, and half of the limit is reserved in equal parts for the steps that have not ended"
            "return large results as an object or an artifact; otherwise raise the setting";
    }
    journal {
        FULL = "journal.full", [Exhausted] [Plugin]
            "the run's journal reached the limit in the setting `journalLimit`. One step may use a quarter of that limit, and half of the limit is reserved in equal parts for the steps that have not ended. The runner's own records have extra space beyond the limit"
            "find out why the step writes so much; otherwise raise the setting";
    }
    call {
        INTERRUPTED = "call.interrupted", [] []
            "a host call ended without an answer, because its step was stopped; this code appears only in a run's record of its calls"
            "do nothing";
    }
    run {
        CANCELLED = "run.cancelled", [Cancelled] [Operator]
            "the run was stopped before the step ended"
            "run `sidestep resume`";
        DETACHED = "run.detached", [] []
            "a warning: the run was detached, and the resources that it created keep running"
            "run the printed commands";
    }
    cleanup {
        TIMED_OUT = "cleanup.timed-out", [TimedOut] [Cluster]
            "no answer arrived within the time limit for cleaning up, so some resources may still exist"
            "run `sidestep gc`";
    }
}
