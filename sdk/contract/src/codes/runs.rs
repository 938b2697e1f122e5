//! Runs on this machine.

use super::{Class, Code, Owner, codes};

codes! {
    state {
        FULL = "state.full", [Exhausted] [Operator]
            "the disk with the run's records is full, so the run was stopped and cleaned up"
            "free space, then `sidestep resume`";
        DENIED = "state.denied", [Failed] [Operator]
            "the folder of the runs can't be written"
            "make it writable, or set `state:` to another";
        DAMAGED = "state.damaged", [Failed Refused] [Operator]
            "a record of the run's journal, or its `plan.json`, was changed or is damaged. The run may have started things that no record names any more, so it is not resumed. A record that was never written to its end, as a crash leaves it, is no damage"
            "the printed commands: `sidestep runs show` lists the whole records, `sidestep gc` removes what the run made (by its journal and by its marks on pods) and sets its folder aside";
        LINES_LOST = "state.lines-lost", [] []
            "a warning: the disk was full, and nobody read what the run said"
            "free space; the pod's own log may have the lines";
        NO_PLAN = "state.no-plan", [NotFound] [Operator]
            "the run was killed before it began"
            "the printed command";
        NO_RUN = "state.no-run", [NotFound] [Operator]
            "there is no run of that id"
            "`sidestep runs` lists those that are there";
        NOT_OWN = "state.not-own", [Refused] [Operator]
            "a run's plan, journal, log or folder belongs to another user, or others can write to it, so what it says is not used (exit 3)"
            "look at what it says, then the printed command; or start a new run";
        LOCKED = "state.locked", [Unavailable] [Operator]
            "another process writes that run"
            "wait for it, or end it. If both are jobs of one CI run (a matrix), set `SIDESTEP_RUN_KEY` to a value of each job's own";
        NEWER_FORMAT = "state.newer-format", [Refused] [Operator]
            "a later version of sidestep wrote the run"
            "use that version";
        RUN_EXISTS = "state.run-exists", [Conflict] [Operator]
            "there is a run of that id already"
            "give another id";
        IO = "state.io", [Failed] [Operator]
            "a file of the run can't be read or written"
            "the message has the system's own words";
    }
    sandbox {
        SCENARIO = "sandbox.scenario", [NotFound] [Operator]
            "there is no such scenario"
            "`sidestep sandbox scenarios` lists them";
        CALLER = "sandbox.caller", [NotFound InvalidInput] [Operator]
            "the sandbox knows no such caller, or `--as` is given without the sandbox"
            "the message lists the callers";
        UNUSABLE = "sandbox.unusable", [Failed] [Operator]
            "the sandbox can't be started"
            "the message says why";
    }
    sidestep {
        BUG = "sidestep.bug", [Failed] [Sidestep]
            "something happened that can't happen: our own bug (exit 70)"
            "report it, with the command and its output";
    }
}
