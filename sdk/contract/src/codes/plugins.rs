//! Plugins.

use super::{Class, Code, Owner, codes};

codes! {
    uses {
        DIGEST = "uses.digest", [InvalidInput] [Author]
            "a reference to a plugin in a registry has no digest"
            "write `oci://REGISTRY/REPOSITORY:TAG@sha256:…`";
        FORM = "uses.form", [InvalidInput] [Author]
            "`uses` is neither a built-in plugin (`sidestep/NAME`), nor a file path (which begins with `./`, `../` or `/`), nor a registry reference (`oci://…`)"
            "use the form that the message suggests";
    }
    plugin {
        ABORTED = "plugin.aborted", [Failed] [Plugin]
            "the plugin aborted"
            "report it to the plugin's author";
        API = "plugin.api", [InvalidInput] [Author]
            "the plugin was built for a version of the contract that this runner does not support"
            "update Sidestep, or use a version of the plugin that was built for this runner";
        BAD_OUTPUTS = "plugin.bad-outputs", [Failed] [Plugin]
            "the outputs do not match the declaration in the plugin's own manifest"
            "report it to the plugin's author; `sidestep plugin inspect PLUGIN` prints the manifest";
        BUILD = "plugin.build", [Failed] [Plugin]
            "cargo can't build the plugin (`sidestep plugin build`)"
            "correct the errors that cargo prints";
        BUG = "plugin.bug", [Failed] [Plugin]
            "the plugin detected a bug in itself"
            "report it to the plugin's author, with the step's log";
        CAPABILITY = "plugin.capability", [InvalidInput] [Plugin]
            "the plugin requests a capability that this runner does not support"
            "update Sidestep, or use a version of the plugin that does not need the capability";
        CHANGED = "plugin.changed", [Refused] [Author]
            "a plugin has changed since the run began, so `resume` refuses to continue"
            "restore the plugin, or start a new run";
        COMPILE_CRASHED = "plugin.compile-crashed", [InvalidInput] [Plugin]
            "the compiler crashed; it runs in a separate process, so the runner is not affected"
            "report it to the plugin's author";
        COMPILE_LIMIT = "plugin.compile-limit", [Exhausted] [Plugin]
            "compiling the component takes more time or memory than `compileTime` and `compileMemory` allow"
            "raise the settings, or make the component smaller";
        DIAGNOSTIC = "plugin.diagnostic", [] []
            "a plugin reported a problem or a warning under a code that is reserved for the runner"
            "report it to the plugin's author";
        EXPORTS = "plugin.exports", [InvalidInput] [Plugin]
            "the component does not export a plugin"
            "build the component with the SDK";
        FAILED = "plugin.failed", [Failed] [Plugin Author]
            "the plugin failed, and no host call confirms the code that the plugin claims (`details.claimed`)"
            "report it to the plugin's author";
        HOST = "plugin.host", [Failed] [Operator]
            "the process that compiles components can't be started"
            "check that `/proc` is available and that there is space for a temporary file";
        IMPORTS = "plugin.imports", [InvalidInput] [Plugin]
            "the component imports an interface that this runner does not provide"
            "update Sidestep, or build the plugin without the interface";
        JSON = "plugin.json", [Failed] [Plugin]
            "the plugin received JSON that it can't parse"
            "report it to the plugin's author";
        LINK = "plugin.link", [InvalidInput] [Plugin]
            "the runner can't link the component"
            "report it: this is a bug in Sidestep";
        MALFORMED = "plugin.malformed", [InvalidInput] [Plugin]
            "the file is not a valid WebAssembly component"
            "build it with `sidestep plugin build`";
        MANIFEST = "plugin.manifest", [InvalidInput] [Plugin]
            "the component's manifest is missing or not valid"
            "build the plugin again with the SDK";
        NOT_FOUND = "plugin.not-found", [InvalidInput] [Author]
            "the built-in plugin or the file does not exist"
            "correct `uses`";
        NOT_REQUESTED = "plugin.not-requested", [InvalidInput] [Plugin]
            "the component imports a capability that its manifest does not request"
            "ask the plugin's author to request the capability or to remove the call";
        OUT_OF_MEMORY = "plugin.out-of-memory", [Exhausted] [Plugin]
            "the plugin exceeded the memory limit of a step"
            "report it to the plugin's author";
        OUTPUTS = "plugin.outputs", [Failed] [Plugin]
            "the plugin can't write its outputs"
            "report it to the plugin's author";
        OUTSIDE = "plugin.outside", [InvalidInput] [Author]
            "the plugin's file is outside the workspace, by its path or through a link"
            "move the file into the workspace";
        PANICKED = "plugin.panicked", [Failed] [Plugin]
            "the plugin panicked"
            "report it to the plugin's author";
        REQUEST = "plugin.request", [InvalidInput] [Plugin]
            "the value of a request in the plugin's manifest can't be determined"
            "report it to the plugin's author";
        SCHEMA = "plugin.schema", [InvalidInput] [Plugin]
            "a plugin's schema is not usable"
            "report it to the plugin's author";
        STACK_OVERFLOW = "plugin.stack-overflow", [Exhausted] [Plugin]
            "the plugin's stack overflowed"
            "report it to the plugin's author";
        STOPPED = "plugin.stopped", [Failed] [Plugin]
            "the plugin computed without a host call for longer than a step is allowed to"
            "report it to the plugin's author";
        TOO_COMPLEX = "plugin.too-complex", [Exhausted] [Plugin]
            "the component has more core instances, definitions, functions, types or nesting levels than the limits; a nested component counts each time it is instantiated"
            "make the component simpler";
        TOO_LARGE = "plugin.too-large", [InvalidInput] [Plugin]
            "the component is larger than 64 MiB"
            "make the component smaller";
        TOOLCHAIN = "plugin.toolchain", [Failed] [Operator]
            "`sidestep plugin build` finds no Rust toolchain that is new enough and compiles plugins"
            "run the printed command, which installs what is missing";
        TRAPPED = "plugin.trapped", [Failed] [Plugin]
            "the plugin trapped: WebAssembly stopped it"
            "report it to the plugin's author";
        UNKNOWN = "plugin.unknown", [InvalidInput] [Author]
            "the plugin does not exist"
            "correct `uses`";
        UNREADABLE = "plugin.unreadable", [InvalidInput] [Plugin]
            "the plugin's file can't be read, or is not a regular file (it is a named pipe or a device, for example)"
            "use a regular file";
        WASI = "plugin.wasi", [InvalidInput] [Plugin]
            "the component imports WASI, which is not available to plugins"
            "build it with `sidestep plugin build`";
    }
}
