//! `#[sidestep::plugin]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Error, Expr, ExprLit, ItemFn, Lit, Meta, Result};

use crate::arguments::Arguments;

/// Returns the function, the component's exports and the manifest.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let function: ItemFn = syn::parse2(item)?;
    let name = arguments
        .name
        .ok_or_else(|| Error::new(Span::call_site(), "a plugin needs a name: `name = \"…\"`"))?;
    if function.sig.inputs.len() != 2 || function.sig.asyncness.is_some() {
        return Err(Error::new_spanned(
            &function.sig,
            "a plugin must be a function `fn(&Step, Inputs) -> sidestep::Result<Outputs>`",
        ));
    }
    let body = &function.sig.ident;
    let description = description(&function.attrs);
    let pure = arguments.pure;
    let requests = arguments
        .requests
        .iter()
        .map(|(key, scopes)| quote!((#key, #scopes)));
    let check = arguments.check.as_ref().map_or_else(
        || {
            quote!({
                let _ = inputs;
                ::std::vec::Vec::new()
            })
        },
        |check| quote!(::sidestep::plugin::check(&inputs, #check)),
    );
    // Natively nothing else names the check, which is no reason to warn.
    let names_check = arguments.check.iter().map(|check| {
        quote! {
            let _: fn(&::sidestep::Check, _) -> ::std::vec::Vec<::sidestep::Diagnostic> = #check;
        }
    });
    Ok(quote! {
        #[allow(clippy::needless_pass_by_value)] // inputs are the function's own
        #function

        /// Returns this plugin's manifest.
        pub fn sidestep_manifest() -> ::sidestep::Manifest {
            const FACTS: ::sidestep::plugin::Facts = ::sidestep::plugin::Facts {
                name: #name,
                version: ::std::env!("CARGO_PKG_VERSION"),
                description: #description,
                requests: &[#(#requests),*],
                pure: #pure,
            };
            #(#names_check)*
            ::sidestep::plugin::manifest(&FACTS, #body)
        }

        #[allow(unsafe_code)]
        const _: () = {
            #[allow(dead_code)] // natively, nothing calls it
            struct Plugin;

            impl ::sidestep::plugin::Guest for Plugin {
                fn run(
                    inputs: ::std::string::String,
                ) -> ::std::result::Result<::std::string::String, ::sidestep::plugin::Failure> {
                    ::sidestep::plugin::run(&inputs, #body)
                }

                fn check(
                    inputs: ::std::string::String,
                ) -> ::std::vec::Vec<::sidestep::plugin::RawDiagnostic> {
                    #check
                }
            }

            #[cfg(target_arch = "wasm32")]
            ::sidestep::bindings::export_plugin!(Plugin with_types_in ::sidestep::bindings);

            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "sidestep:manifest")]
            extern "C" fn manifest() -> u64 {
                ::sidestep::plugin::leak(&sidestep_manifest())
            }
        };
    })
}

/// Returns the doc comment's text.
fn description(attributes: &[Attribute]) -> String {
    let lines: Vec<_> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doc_comment_is_the_description() {
        let item = quote! {
            /// Does it.
            ///
            /// Well.
            fn run(step: &Step, inputs: Inputs) -> Result<Outputs> { todo() }
        };
        let expanded = expand(quote!(name = "x"), item)
            .expect("a plugin")
            .to_string();
        assert!(expanded.contains(r#""Does it.\n\nWell.""#), "{expanded}");
    }

    #[test]
    fn mistakes_are_named() {
        let error = expand(
            quote!(),
            quote!(
                fn run(a: A, b: B) {}
            ),
        )
        .expect_err("no name");
        assert!(error.to_string().contains("needs a name"));
        let error = expand(
            quote!(name = "x"),
            quote!(
                fn run() {}
            ),
        )
        .expect_err("no inputs");
        assert!(error.to_string().contains("fn(&Step, Inputs)"));
    }
}
