//! The arguments of `#[sidestep::plugin(…)]`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Result, Token, parenthesized};

use crate::capability::Capability;
use crate::plugin_name::{PLUGIN_NAME, is_plugin_name};

/// The checked arguments.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) requests: Vec<(String, LitStr)>,
    pub(crate) check: Option<Path>,
    pub(crate) pure: bool,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            match key.to_string().as_str() {
                "name" if arguments.name.is_none() => {
                    input.parse::<Token![=]>()?;
                    arguments.name = Some(name(input.parse()?)?);
                }
                "requests" if arguments.requests.is_empty() => {
                    let content;
                    parenthesized!(content in input);
                    for request in
                        Punctuated::<CapabilityRequest, Token![,]>::parse_terminated(&content)?
                    {
                        if arguments
                            .requests
                            .iter()
                            .any(|(key, _)| *key == request.key)
                        {
                            let message = format!("`{}` is requested twice", request.key);
                            return Err(Error::new(request.scopes.span(), message));
                        }
                        arguments.requests.push((request.key, request.scopes));
                    }
                }
                "check" if arguments.check.is_none() => {
                    input.parse::<Token![=]>()?;
                    arguments.check = Some(input.parse()?);
                }
                "pure" => arguments.pure = true,
                "name" | "requests" | "check" => {
                    return Err(Error::new(key.span(), format!("`{key}` is given twice")));
                }
                other => {
                    let message = format!(
                        "`{other}` is not a known argument; the arguments are `name`, `requests`, `check` and `pure`"
                    );
                    return Err(Error::new(key.span(), message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

struct CapabilityRequest {
    key: String,
    scopes: LitStr,
}

impl Parse for CapabilityRequest {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ident: Ident = input.parse()?;
        let key = camel_case(&ident.to_string());
        if Capability::from_name(&key).is_none() {
            let keys: Vec<_> = Capability::ALL.iter().map(|known| known.as_str()).collect();
            let message = format!(
                "`{ident}` is not a grant key; the grant keys are: {}",
                keys.join(", ")
            );
            return Err(Error::new(ident.span(), message));
        }
        input.parse::<Token![=]>()?;
        let scopes: LitStr = input.parse()?;
        if scopes.value().trim().is_empty() {
            return Err(Error::new(
                scopes.span(),
                "write a CEL expression that yields a list of scopes",
            ));
        }
        Ok(Self { key, scopes })
    }
}

fn name(name: LitStr) -> Result<LitStr> {
    if is_plugin_name(&name.value()) {
        Ok(name)
    } else {
        Err(Error::new(name.span(), PLUGIN_NAME))
    }
}

/// Converts Rust's `iam_write` to the contract's `iamWrite`; both are accepted.
fn camel_case(ident: &str) -> String {
    let mut words = ident.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments> {
        syn::parse_str(text)
    }

    fn refused(text: &str) -> String {
        match parse(text) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{text} was taken"),
        }
    }

    #[test]
    fn everything_is_read() {
        let arguments = parse(
            r#"name = "a-b", requests(workspace = "[]", iam_write = "[{}]"), check = here::it, pure"#,
        )
        .expect("arguments");
        assert_eq!(arguments.name.expect("a name").value(), "a-b");
        let keys: Vec<_> = arguments
            .requests
            .iter()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(keys, ["workspace", "iamWrite"]);
        assert!(arguments.check.is_some() && arguments.pure);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(refused(r#"requests(disk = "[]")"#).contains("`disk` is not a grant key"));
        assert!(refused(r#"requests(iam = "[]", iam = "[]")"#).contains("twice"));
        assert!(refused(r#"requests(iam = " ")"#).contains("CEL"));
        assert!(refused("nam").contains("the arguments are `name`"));
        assert!(refused(r#"name = "A""#).contains("lower-case"));
        assert!(refused(r#"name = "a", name = "b""#).contains("twice"));
    }
}
