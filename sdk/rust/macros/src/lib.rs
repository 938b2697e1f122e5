//! The attribute macros of `sidestep-sdk`, which re-exports them: use them as
//! `#[sidestep::plugin(…)]` and `#[sidestep::data]`. They only generate code;
//! the SDK contains what it calls.

mod arguments;
// Modules of the contract, through links, which `cargo package` resolves: the dependencies of a macro
// are compiled once more, for the machine that compiles.
#[allow(dead_code, unreachable_pub, reason = "a macro needs the names alone")]
mod capability;
mod data;
mod native;
mod plugin;
#[allow(unreachable_pub, reason = "a macro has no library")]
mod plugin_name;

use proc_macro::TokenStream;

/// Turns a function into a plugin: `fn(&Step, Inputs) -> sidestep::Result<Outputs>`.
///
/// - `name = "…"`: the plugin's name, lower-case words joined by `-`.
/// - `requests(KEY = "CEL", …)`: for each grant key, an expression over `inputs`
///   that yields the list of scopes.
/// - `check = PATH`: a function `fn(&Check, Inputs) -> Vec<Diagnostic>` that
///   finds problems before anything starts. Its inputs may be a different type,
///   with only the fields that it needs.
/// - `pure`: the same inputs always give the same outputs, and the plugin has no
///   side effects.
///
/// The function's doc comment is the plugin's description.
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    plugin::expand(arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives the traits of inputs, outputs and their parts: serde's `Serialize` and
/// `Deserialize` and schemars' `JsonSchema`. Names are in camelCase, and unknown
/// names are refused. serde's and schemars' attributes work inside as usual.
#[proc_macro_attribute]
pub fn data(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(&arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Generates the bindings of native programs from the WIT in a folder of the crate. Only the SDK
/// calls it.
#[doc(hidden)]
#[proc_macro]
pub fn native_bindings(folder: TokenStream) -> TokenStream {
    native::expand(folder.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
