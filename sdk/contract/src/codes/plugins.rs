//! Plugins.

use super::{Class, Code, Owner, codes};

codes! {
    uses {
        DIGEST = "uses.digest", [InvalidInput] [Author]
            "a registry's plugin is named without its digest"
            "write `oci://REGISTRY/REPOSITORY:TAG@sha256:…`";
        FORM = "uses.form", [InvalidInput] [Author]
            "`uses` is neither a built-in plugin (`sidestep/NAME`), nor a file's path (it begins with `./`, `../` or `/`), nor a reference to a registry (`oci://…`)"
            "write the form that the message offers";
    }
    plugin {
        ABORTED = "plugin.aborted", [Failed] [Plugin]
            "the plugin ended itself"
            "for the plugin's author";
        API = "plugin.api", [InvalidInput] [Author]
            "the plugin was built for a version of the contract that this runner does not have"
            "update Sidestep, or use a version of the plugin that was built for it";
        BAD_OUTPUTS = "plugin.bad-outputs", [Failed] [Plugin]
            "the outputs are not what the plugin's own manifest declares"
            "for the plugin's author; `sidestep plugin inspect PLUGIN` prints the manifest";
        BUG = "plugin.bug", [Failed] [Plugin]
            "the plugin found that it is wrong itself"
            "report it to the plugin's author, with the step's log";
        CAPABILITY = "plugin.capability", [InvalidInput] [Plugin]
            "the plugin requests a capability that this runner does not have"
            "update Sidestep, or use a version of the plugin that does without it";
        CHANGED = "plugin.changed", [Refused] [Author]
            "a plugin is not the one that the run began with, so `resume` refuses"
            "bring it back, or start a new run";
        COMPILE_CRASHED = "plugin.compile-crashed", [InvalidInput] [Plugin]
            "the compiler ended without an answer; it runs in a process of its own, so the runner is not affected"
            "report it to the plugin's author";
        COMPILE_LIMIT = "plugin.compile-limit", [Exhausted] [Plugin]
            "compiling the component takes more time or memory than `compileTime` and `compileMemory` allow"
            "raise the settings, or make the component smaller";
        DIAGNOSTIC = "plugin.diagnostic", [] []
            "a problem or a warning that a plugin reported under a code that only the runner gives"
            "for the plugin's author";
        EXPORTS = "plugin.exports", [InvalidInput] [Plugin]
            "the component exports no plugin"
            "build it with the SDK";
        FAILED = "plugin.failed", [Failed] [Plugin Author]
            "the plugin failed, and no host call showed what its own code claims (`details.claimed`)"
            "for the plugin's author";
        HOST = "plugin.host", [Failed] [Operator]
            "the process that compiles a component can't be started"
            "see that there is `/proc`, and room for a temporary file";
        IMPORTS = "plugin.imports", [InvalidInput] [Plugin]
            "the component imports an interface that this runner does not have"
            "update Sidestep, or build the plugin without it";
        JSON = "plugin.json", [Failed] [Plugin]
            "the plugin met JSON that it can't read"
            "for the plugin's author";
        LINK = "plugin.link", [InvalidInput] [Plugin]
            "the runner can't link the component"
            "this is a bug of Sidestep: report it";
        MALFORMED = "plugin.malformed", [InvalidInput] [Plugin]
            "the file is not a valid WebAssembly component"
            "build it with `sidestep plugin build`";
        MANIFEST = "plugin.manifest", [InvalidInput] [Plugin]
            "the component's manifest is missing or wrong"
            "build the plugin again with the SDK";
        NOT_FOUND = "plugin.not-found", [InvalidInput] [Author]
            "there is no such built-in plugin, or no such file"
            "correct `uses`";
        NOT_REQUESTED = "plugin.not-requested", [InvalidInput] [Plugin]
            "the component imports a capability that its manifest does not request"
            "for the plugin's author: request it, or remove the call";
        OUT_OF_MEMORY = "plugin.out-of-memory", [Exhausted] [Plugin]
            "the plugin wanted more memory than a step may have"
            "for the plugin's author";
        OUTPUTS = "plugin.outputs", [Failed] [Plugin]
            "the plugin can't write its outputs"
            "for the plugin's author";
        OUTSIDE = "plugin.outside", [InvalidInput] [Author]
            "the plugin's file is outside the workspace, by its path or by a link"
            "put it into the workspace";
        PANICKED = "plugin.panicked", [Failed] [Plugin]
            "the plugin panicked"
            "for the plugin's author";
        REQUEST = "plugin.request", [InvalidInput] [Plugin]
            "a request of the plugin's manifest has no value"
            "for the plugin's author";
        SCHEMA = "plugin.schema", [InvalidInput] [Plugin]
            "a plugin's schema can't be used"
            "for the plugin's author";
        STACK_OVERFLOW = "plugin.stack-overflow", [Exhausted] [Plugin]
            "the plugin's stack overflowed"
            "for the plugin's author";
        STOPPED = "plugin.stopped", [Failed] [Plugin]
            "the plugin computed for longer than a step may without a host call"
            "for the plugin's author";
        TOO_COMPLEX = "plugin.too-complex", [Exhausted] [Plugin]
            "the component has more core instances, definitions, functions, types or levels than are compiled; nested components count each time they are instantiated"
            "make the component simpler";
        TOO_LARGE = "plugin.too-large", [InvalidInput] [Plugin]
            "the component has more bytes than are read (64 MiB)"
            "make the component smaller";
        TRAPPED = "plugin.trapped", [Failed] [Plugin]
            "the plugin trapped: WebAssembly stopped it"
            "for the plugin's author";
        UNKNOWN = "plugin.unknown", [InvalidInput] [Author]
            "there is no such plugin"
            "correct `uses`";
        UNREADABLE = "plugin.unreadable", [InvalidInput] [Plugin]
            "the plugin's file is not a regular file, such as a named pipe or a device, or can't be read"
            "name a regular file";
        WASI = "plugin.wasi", [InvalidInput] [Plugin]
            "the component imports WASI, which plugins don't have"
            "build it with `sidestep plugin build`";
    }
}
