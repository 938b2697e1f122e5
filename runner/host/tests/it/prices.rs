//! The cost of host calls.

use std::collections::BTreeSet;

use sidestep_capabilities::{CAPABILITIES, PRICES};
use sidestep_contract::ALWAYS;
use wit_parser::WorldItem;

use crate::guest::contract;

#[test]
fn every_function_of_every_linked_interface_has_a_price() {
    let (resolve, world) = contract();
    let linked: BTreeSet<&str> = CAPABILITIES
        .iter()
        .map(|capability| capability.key.interface())
        .chain(ALWAYS.iter().map(|(interface, _)| *interface))
        .collect();
    let mut functions = BTreeSet::new();
    for item in resolve.worlds[*world].imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let name = resolve.id_of(*id).expect("it has a name");
        let (name, _) = name.split_once('@').expect("it has a version");
        if !linked.contains(name) {
            continue;
        }
        for function in resolve.interfaces[*id].functions.keys() {
            let function = function.trim_start_matches("[method]");
            functions.insert((name.to_owned(), function.to_owned()));
        }
    }
    let priced: BTreeSet<_> = PRICES
        .iter()
        .map(|(interface, function, _)| ((*interface).to_owned(), (*function).to_owned()))
        .collect();
    assert!(functions.len() > 40, "{functions:?}");
    assert_eq!(functions, priced);
}
