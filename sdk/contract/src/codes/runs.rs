//! Runs on this machine.

use super::{Class, Code, Owner, codes};

codes! {
    state {
        FULL = "state.full", [Exhausted] [Operator]
            "the disk with the run's records is full, so the run was stopped and cleaned up"
            "free disk space, then run `sidestep resume`";
        DENIED = "state.denied", [Failed] [Operator]
            "the folder for runs is not writable"
            "make it writable, or set `state:` to another folder";
        DAMAGED = "state.damaged", [Failed Refused] [Operator]
            "a record of the run's journal, or its `plan.json`, was changed or is damaged. The run may have created resources that no readable record names, so it can't be resumed. An incomplete last record, as a crash leaves it, does not count as damage"
            "run the printed commands: `sidestep runs show` lists the intact records; `sidestep gc` removes the resources of the run (by its journal and by its marks on pods) and sets its folder aside";
        LINES_LOST = "state.lines-lost", [] []
            "a warning: the disk was full and no client was reading the output, so log lines of the run were lost"
            "free disk space; the pod's own log may still contain the lines";
        NO_PLAN = "state.no-plan", [NotFound] [Operator]
            "the run was killed before it began"
            "run the printed command";
        NO_RUN = "state.no-run", [NotFound] [Operator]
            "no run has this id"
            "run `sidestep runs`, which lists the existing runs";
        NOT_OWN = "state.not-own", [Refused] [Operator]
            "a run's plan, journal, log or folder belongs to another user, or other users can write to it, so Sidestep does not trust its contents (exit 3)"
            "check the contents, then run the printed command; or start a new run";
        LOCKED = "state.locked", [Unavailable] [Operator]
            "another process holds the lock of that run"
            "wait for that process, or end it. If both are jobs of one CI run (a matrix), set `SIDESTEP_RUN_KEY` to a different value for each job";
        NEWER_FORMAT = "state.newer-format", [Refused] [Operator]
            "a later version of Sidestep wrote the run"
            "use that version";
        RUN_EXISTS = "state.run-exists", [Conflict] [Operator]
            "a run with this id already exists"
            "use another id";
        IO = "state.io", [Failed] [Operator]
            "a file of the run can't be read or written"
            "read the operating system's error in the message";
    }
    sandbox {
        SCENARIO = "sandbox.scenario", [NotFound] [Operator]
            "the scenario does not exist"
            "run `sidestep sandbox scenarios`, which lists the scenarios";
        CALLER = "sandbox.caller", [NotFound InvalidInput] [Operator]
            "the sandbox does not know the caller, or `--as` is used without the sandbox"
            "use a caller that the message lists";
        CLUSTER = "sandbox.cluster", [Denied Failed InvalidInput NotFound Refused Unavailable] [Operator Cluster]
            "`--cluster` names a cluster that the sandbox can't use: its context does not exist or can't be used, its API server does not answer, its user lacks permissions, its nodes already have a metadata server, the scenario is about the sandbox's own cluster, or what the sandbox installed can't be removed"
            "run the printed commands, or use another context or scenario";
        UNUSABLE = "sandbox.unusable", [Failed] [Operator]
            "the sandbox can't be started"
            "correct the cause that the message names, or run `sidestep sandbox reset`";
    }
    sidestep {
        BUG = "sidestep.bug", [Failed] [Sidestep]
            "Sidestep reached a state that should be impossible: this is a bug in Sidestep (exit 70)"
            "report it, with the command and its output";
    }
}
