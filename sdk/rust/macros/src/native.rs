//! The bindings of native programs, in which a test answers the calls.
//!
//! wit-bindgen's own bindings end the process at each call outside a WebAssembly module. These have
//! its types and signatures, because they are made from its source; only the functions' bodies and the
//! resources differ.

mod answer;
mod wit;

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Fields, ImplItem, Item, ItemFn, ItemImpl, ItemMod, LitStr, Type, UseTree};

use crate::capability::Capability;

/// Expands to the bindings for the WIT in a folder of the calling crate.
#[allow(clippy::disallowed_methods, reason = "cargo's variable, not a setting")]
pub(crate) fn expand(folder: TokenStream) -> syn::Result<TokenStream> {
    let folder: LitStr = syn::parse2(folder)?;
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let path = Path::new(&root).join(folder.value());
    let bindings = wit::generate(&path, "sidestep:step/all")
        .map_err(|why| syn::Error::new(folder.span(), why))?;
    // The compiler has to know the files that this depends on.
    let files = bindings.files.iter().map(|file| file.display().to_string());
    let bindings = convert(&bindings.source)?;
    Ok(quote! {
        #bindings
        #(const _: &[u8] = ::core::include_bytes!(#files);)*
    })
}

/// Converts the source of wit-bindgen.
fn convert(source: &str) -> syn::Result<TokenStream> {
    // Bytes are shown as text where that is possible: they are arguments in a test's messages.
    let source = source.replace(
        "::Bytes\").field(e)",
        "::Bytes\").field(&crate::testing::Bytes(e))",
    );
    let file = syn::parse_file(&source)?;
    let mut modules = Vec::new();
    let mut hosts = Vec::new();
    for item in file.items {
        match item {
            Item::Mod(module) if module.ident != "_rt" => {
                modules.push(converted(module, &[], &mut hosts)?);
            }
            _ => {}
        }
    }
    Ok(quote! {
        #(#modules)*

        mod _rt {
            pub use ::std::string::String;
            pub use ::std::vec::Vec;
        }

        /// The answers to the calls of each capability.
        impl crate::testing::Host {
            #(#hosts)*
        }
    })
}

/// Converts a module, whose path has these names before its own.
fn converted(
    mut module: ItemMod,
    path: &[String],
    hosts: &mut Vec<TokenStream>,
) -> syn::Result<ItemMod> {
    let mut path = path.to_vec();
    path.push(module.ident.to_string());
    let Some((_, items)) = &mut module.content else {
        return Ok(module);
    };
    let interface = interface(&path);
    let capability = Capability::of_import(&interface);
    let old = std::mem::take(items);
    let resources: Vec<String> = old.iter().filter_map(resource).collect();
    let mut setters = Vec::new();
    for item in old {
        match item {
            Item::Mod(inner) => items.push(Item::Mod(converted(inner, &path, hosts)?)),
            Item::Fn(function) if path[0] == "sidestep" => {
                let (function, setter) = match capability {
                    Some(capability) => answer::by_a_test(function, capability)?,
                    None => (answer::by_the_sdk(function), None),
                };
                items.push(Item::Fn(function));
                setters.extend(setter);
            }
            Item::Struct(known) if resources.contains(&known.ident.to_string()) => {
                let name = known.ident;
                items.push(syn::parse_quote!(pub use crate::testing::held::#name;));
            }
            Item::Impl(known) if is_internal(&known, &resources) => {}
            Item::Use(known) if !is_of_types(&known.tree) => {}
            Item::Enum(_)
            | Item::Impl(_)
            | Item::Struct(_)
            | Item::Trait(_)
            | Item::Type(_)
            | Item::Use(_) => items.push(item),
            // What the calls across the component's border need.
            _ => {}
        }
    }
    if let Some(capability) = capability {
        let (answers, host) = answer::setters(capability, &path, &setters);
        items.extend(answers);
        hosts.push(host);
    }
    Ok(module)
}

/// Returns the interface of a module: `sidestep:gcp/iam-write` for `sidestep::gcp::iam_write`.
fn interface(path: &[String]) -> String {
    let names: Vec<String> = path.iter().map(|name| name.replace('_', "-")).collect();
    match &names[..] {
        [namespace, package, interface] => format!("{namespace}:{package}/{interface}"),
        _ => String::new(),
    }
}

/// Returns the name of a resource's type: it holds a handle.
fn resource(item: &Item) -> Option<String> {
    let Item::Struct(known) = item else {
        return None;
    };
    let Fields::Named(fields) = &known.fields else {
        return None;
    };
    let handle = fields.named.first()?;
    let is_handle = handle.ident.as_ref()? == "handle"
        && matches!(&handle.ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Resource"));
    is_handle.then(|| known.ident.to_string())
}

/// Returns whether an implementation belongs to a resource, or reads a value of the host.
fn is_internal(known: &ItemImpl, resources: &[String]) -> bool {
    let Type::Path(path) = &*known.self_ty else {
        return false;
    };
    let of_resource = path.path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        resources.contains(&name)
    });
    let lifts = known
        .items
        .iter()
        .any(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == "_lift"));
    of_resource || lifts
}

/// Returns whether an import is that of the types in `_rt`.
fn is_of_types(tree: &UseTree) -> bool {
    match tree {
        UseTree::Path(path) => is_of_types(&path.tree),
        UseTree::Name(name) => name.ident == "_rt",
        _ => false,
    }
}

/// Returns the attributes that are documentation.
fn docs(function: &ItemFn) -> Vec<Attribute> {
    let is_doc = |attribute: &&Attribute| attribute.path().is_ident("doc");
    function.attrs.iter().filter(is_doc).cloned().collect()
}

#[cfg(test)]
mod tests;
