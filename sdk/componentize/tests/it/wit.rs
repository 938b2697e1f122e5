//! Rules for every package under `sdk/wit`.

use std::collections::BTreeSet;
use std::path::Path;

use sidestep_contract::{ALWAYS, Capability};
use wit_parser::{Resolve, TypeDefKind, TypeOwner, WorldItem};

fn contract() -> (Resolve, wit_parser::PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"))
        .expect("the contract parses");
    (resolve, package)
}

#[test]
fn every_package_has_the_contract_s_version() {
    let (resolve, _) = contract();
    for (_, package) in &resolve.packages {
        let version = package.name.version.as_ref().map(ToString::to_string);
        assert_eq!(version.as_deref(), Some("0.1.0"), "{}", package.name);
        assert_eq!(package.name.namespace, "sidestep");
    }
}

#[test]
fn the_world_all_imports_every_interface_but_plugin() {
    let (resolve, package) = contract();
    let all = resolve.select_world(&[package], Some("all")).expect("all");
    let imported: Vec<_> = resolve.worlds[all].imports.keys().cloned().collect();
    for (id, interface) in &resolve.interfaces {
        if interface.name.as_deref() == Some("plugin") {
            continue;
        }
        assert!(
            imported.contains(&wit_parser::WorldKey::Interface(id)),
            "{} is not imported",
            resolve.id_of(id).unwrap_or_default()
        );
    }
    let exported: Vec<_> = resolve.worlds[all].exports.values().collect();
    let [WorldItem::Interface { id, .. }] = exported[..] else {
        panic!("one export")
    };
    assert_eq!(
        resolve.id_of(*id).as_deref(),
        Some("sidestep:step/plugin@0.1.0")
    );
}

/// Each interface is one that every plugin gets, or has a row in the table of capabilities.
#[test]
fn every_interface_is_a_capability_s_or_always_linked() {
    let (resolve, package) = contract();
    let all = resolve.select_world(&[package], Some("all")).expect("all");
    let imports = resolve.worlds[all].imports.values();
    let imported: BTreeSet<String> = imports
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.id_of(*id),
            _ => None,
        })
        .collect();
    let capabilities = Capability::ALL.iter();
    let known: BTreeSet<String> = capabilities
        .map(|capability| (capability.interface(), capability.version()))
        .chain(ALWAYS)
        .map(|(interface, version)| format!("{interface}@{version}"))
        .collect();
    assert_eq!(imported, known);
}

#[test]
fn everything_is_documented() {
    let (resolve, _) = contract();
    let mut bare = Vec::new();
    for (_, interface) in &resolve.interfaces {
        let name = interface.name.clone().unwrap_or_default();
        if interface.docs.contents.is_none() {
            bare.push(name.clone());
        }
        for function in interface.functions.values() {
            if function.docs.contents.is_none() {
                bare.push(format!("{name}.{}", function.name));
            }
        }
    }
    for (_, definition) in &resolve.types {
        let (Some(name), TypeOwner::Interface(_)) = (&definition.name, &definition.owner) else {
            continue;
        };
        if matches!(definition.kind, TypeDefKind::Type(_)) {
            continue; // a `use`
        }
        if definition.docs.contents.is_none() {
            bare.push(name.clone());
        }
        let members: Vec<_> = match &definition.kind {
            TypeDefKind::Record(r) => r.fields.iter().map(|f| (&f.name, &f.docs)).collect(),
            TypeDefKind::Variant(v) => v.cases.iter().map(|c| (&c.name, &c.docs)).collect(),
            TypeDefKind::Enum(e) => e.cases.iter().map(|c| (&c.name, &c.docs)).collect(),
            _ => Vec::new(),
        };
        bare.extend(
            members
                .into_iter()
                .filter(|(_, docs)| docs.contents.is_none())
                .map(|(member, _)| format!("{name}.{member}")),
        );
    }
    assert_eq!(bare, Vec::<String>::new());
}

/// An import of an interface for the sake of a resource would also link its functions. Therefore
/// only `sidestep:host/types`, which is always linked, defines resources.
#[test]
fn only_the_shared_types_define_resources() {
    let (resolve, _) = contract();
    for (_, definition) in &resolve.types {
        let (TypeDefKind::Resource, TypeOwner::Interface(owner)) =
            (&definition.kind, &definition.owner)
        else {
            continue;
        };
        assert_eq!(
            resolve.id_of(*owner).as_deref(),
            Some("sidestep:host/types@0.1.0")
        );
    }
}

/// An interface whose types another package uses has no functions, unless it is always linked.
/// Therefore no grant implies another.
#[test]
fn what_is_used_across_packages_confers_nothing() {
    let (resolve, _) = contract();
    for (_, definition) in &resolve.types {
        let (TypeDefKind::Type(wit_parser::Type::Id(origin)), TypeOwner::Interface(user)) =
            (&definition.kind, &definition.owner)
        else {
            continue;
        };
        let TypeOwner::Interface(owner) = resolve.types[*origin].owner else {
            continue;
        };
        if owner == *user {
            continue;
        }
        let name = resolve.id_of(owner).unwrap_or_default();
        assert!(
            name == "sidestep:host/types@0.1.0" || resolve.interfaces[owner].functions.is_empty(),
            "{} takes a type from {name}",
            resolve.id_of(*user).unwrap_or_default()
        );
    }
}

#[test]
fn nothing_is_asynchronous() {
    let (resolve, _) = contract();
    for (_, definition) in &resolve.types {
        assert!(!matches!(
            definition.kind,
            TypeDefKind::Future(_) | TypeDefKind::Stream(_)
        ));
    }
    for (_, interface) in &resolve.interfaces {
        for function in interface.functions.values() {
            assert!(!function.kind.is_async(), "{}", function.name);
        }
    }
}

/// The contract is unchanged after a round trip through a binary package, which is how it is
/// published.
#[test]
fn the_contract_encodes_to_a_valid_package() {
    let (resolve, package) = contract();
    let bytes = wit_component::encode(&resolve, package).expect("encodes");
    wasmparser::Validator::new()
        .validate_all(&bytes)
        .expect("valid");
    let decoded = wit_component::decode(&bytes).expect("decodes");
    assert_eq!(
        decoded.resolve().packages[decoded.package()]
            .name
            .to_string(),
        "sidestep:step@0.1.0"
    );
}
