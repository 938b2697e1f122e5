//! The bodies of native functions, and the functions that set their answers.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Error, FnArg, GenericArgument, Item, ItemFn, Pat, PathArguments, Result, ReturnType, Type,
    parse_quote,
};

use super::docs;
use crate::capability::Capability;

/// The name of a capability in Rust: `iam_write` for `iamWrite`.
fn rust_name(capability: Capability) -> String {
    let mut name = String::new();
    for letter in capability.as_str().chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Gives a function of the runtime its native body.
pub(super) fn by_the_sdk(function: ItemFn) -> ItemFn {
    let name = &function.sig.ident;
    let arguments = arguments(&function).into_iter().map(|(name, _)| name);
    let body = parse_quote!({ crate::testing::runtime::#name(#(#arguments),*) });
    with_body(function, body)
}

/// Gives a function of a capability a body that asks the test, and returns the function that sets
/// the answer.
pub(super) fn by_a_test(
    function: ItemFn,
    capability: Capability,
) -> Result<(ItemFn, Option<TokenStream>)> {
    let unknown = || Error::new_spanned(&function.sig, "a call of an unknown shape");
    let (name, docs) = (function.sig.ident.clone(), docs(&function));
    let all = arguments(&function);
    let ReturnType::Type(_, returned) = &function.sig.output else {
        return Err(unknown());
    };
    let list = argument_of(returned, "Vec");
    let result = list.unwrap_or(returned);
    let answer = argument_of(result, "Result").ok_or_else(unknown)?;
    // A call with a list of queries is answered query by query.
    let item = match list {
        None => None,
        Some(_) => {
            let (name, element) = all
                .iter()
                .find_map(|(name, kind)| Some((name, element(kind)?)))
                .ok_or_else(unknown)?;
            Some((name.clone(), element.clone()))
        }
    };
    let is_item = |name: &Ident| item.as_ref().is_some_and(|(item, _)| item == name);
    let is_text = item
        .as_ref()
        .is_some_and(|(_, kind)| ends_with(kind, "String"));
    let kinds: Vec<Type> = all
        .iter()
        .map(|(name, kind)| match &item {
            Some(_) if is_item(name) && is_text => parse_quote!(&str),
            Some((_, element)) if is_item(name) => parse_quote!(&#element),
            _ => kind.clone(),
        })
        .collect();
    let values: Vec<TokenStream> = all
        .iter()
        .map(|(name, _)| match is_item(name) {
            true if is_text => quote!(item.as_str()),
            true => quote!(item),
            false => quote!(#name),
        })
        .collect();
    let (grant, called) = (rust_name(capability), name.to_string());
    let names: Vec<String> = all.iter().map(|(name, _)| name.to_string()).collect();
    let names = names.join(", ");
    let ask = quote! {
        crate::testing::call(
            &crate::testing::Function { capability: #grant, name: #called, arguments: #names },
            &[#(&#values),*],
            |answer: &mut ::std::boxed::Box<dyn FnMut(#(#kinds),*) -> crate::Result<#answer>>| {
                answer(#(#values),*)
            },
        )
        .map_err(Failure::from)
    };
    let body = match &item {
        Some((items, _)) => parse_quote!({ #items.iter().map(|item| #ask).collect() }),
        None => parse_quote!({ #ask }),
    };
    let title = format!(" Answers each `{grant}::{name}`:");
    let setter = quote! {
        #[doc = #title]
        #(#docs)*
        pub fn #name(
            &self,
            answer: impl FnMut(#(#kinds),*) -> crate::Result<#answer> + 'static,
        ) -> &Self {
            let answer: ::std::boxed::Box<dyn FnMut(#(#kinds),*) -> crate::Result<#answer>> =
                ::std::boxed::Box::new(answer);
            self.0.set_answer(#grant, #called, answer);
            self
        }
    };
    Ok((with_body(function, body), Some(setter)))
}

/// Returns the type with the functions that set the answers of a capability, and the host's
/// function that returns it.
pub(super) fn setters(
    capability: Capability,
    path: &[String],
    setters: &[TokenStream],
) -> ([Item; 2], TokenStream) {
    let grant = rust_name(capability);
    let title = format!(" The answers to calls of `{grant}`.");
    let host = format_ident!("{grant}");
    let path: Vec<Ident> = path.iter().map(|name| format_ident!("{name}")).collect();
    let about = format!(" Sets the answers to calls of `{grant}`.");
    (
        [
            parse_quote! {
                #[doc = #title]
                #[derive(Debug)]
                pub struct Answers<'a>(pub(crate) &'a crate::testing::Host);
            },
            parse_quote!(impl Answers<'_> { #(#setters)* }),
        ],
        quote! {
            #[doc = #about]
            pub fn #host(&self) -> #(#path)::*::Answers<'_> {
                #(#path)::*::Answers(self)
            }
        },
    )
}

fn with_body(mut function: ItemFn, body: syn::Block) -> ItemFn {
    function.attrs = docs(&function);
    function.block = Box::new(body);
    function
}

/// Returns the names and types of a function's arguments.
fn arguments(function: &ItemFn) -> Vec<(Ident, Type)> {
    let named = |argument: &FnArg| match argument {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some((name.ident.clone(), (*typed.ty).clone())),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    };
    function.sig.inputs.iter().filter_map(named).collect()
}

/// Returns the first argument of a generic type with this name.
fn argument_of<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = kind else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    }
}

/// Returns the type of a slice's elements.
fn element(kind: &Type) -> Option<&Type> {
    match kind {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => Some(&slice.elem),
            _ => None,
        },
        _ => None,
    }
}

fn ends_with(kind: &Type, name: &str) -> bool {
    let Type::Path(path) = kind else {
        return false;
    };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == name)
}
