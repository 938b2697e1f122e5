//! `ONBUILD`: instructions of a stage that run in the stages that are built on it.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Kind, parse};

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut bases: Vec<usize> = reading
        .needed()
        .filter_map(|stage| reading.plan.bases[stage].stage)
        .collect();
    bases.sort_unstable();
    bases.dedup();
    let instructions = bases
        .into_iter()
        .flat_map(|base| &reading.dockerfile.stages[base].instructions);
    instructions
        .filter_map(|instruction| {
            let Kind::Onbuild(text) = &instruction.kind else {
                return None;
            };
            let errors = parse(&format!("FROM scratch\n{text}\n")).err()?;
            let message = &errors.first()?.message;
            let message =
                format!("a stage that is built on this one can't run this instruction: {message}");
            Some(reading.error(codes::dockerfile::ONBUILD, instruction.keyword.at, message))
        })
        .collect()
}
