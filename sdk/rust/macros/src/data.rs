//! `#[sidestep::data]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

/// Returns the item with its derives.
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(
            arguments,
            "`#[sidestep::data]` takes no arguments",
        ));
    }
    let input: DeriveInput = syn::parse2(item)?;
    let names = match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => {
            quote!(rename_all = "camelCase", deny_unknown_fields)
        }
        Data::Enum(_) => {
            quote!(
                rename_all = "camelCase",
                rename_all_fields = "camelCase",
                deny_unknown_fields
            )
        }
        _ => {
            return Err(Error::new_spanned(
                &input.ident,
                "`#[sidestep::data]` supports only structs with named fields, and enums",
            ));
        }
    };
    Ok(quote! {
        #[derive(
            ::sidestep::serde::Serialize,
            ::sidestep::serde::Deserialize,
            ::sidestep::schemars::JsonSchema,
        )]
        #[serde(crate = "::sidestep::serde", #names)]
        #[schemars(crate = "::sidestep::schemars")]
        #input
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_camel_case_and_unknown_ones_are_refused() {
        let expanded = expand(
            &quote!(),
            quote!(
                pub struct Inputs {
                    a_b: u8,
                }
            ),
        )
        .expect("a struct");
        let text = expanded.to_string();
        assert!(
            text.contains("deny_unknown_fields") && text.contains("camelCase"),
            "{text}"
        );
    }

    #[test]
    fn a_shape_without_names_is_refused() {
        for item in [
            quote!(
                struct Pair(u8, u8);
            ),
            quote!(
                struct Nothing;
            ),
        ] {
            assert!(expand(&quote!(), item).is_err());
        }
    }
}
