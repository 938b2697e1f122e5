//! Removes the manifest's code from a module. It never runs again, and every runner would carry it.

use std::collections::HashSet;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, utils};
use wasm_encoder::{CodeSection, ExportSection, Function, Module};
use wasmparser::{ElementItems, Export, ExternalKind, FunctionBody, Operator, Parser, Payload};

use crate::Error;
use crate::manifest::MANIFEST_EXPORT;

/// Returns the module without the manifest's export. Functions reachable only from it keep their
/// index and lose their body.
pub(crate) fn manifest_code(module: &[u8]) -> Result<Vec<u8>, Error> {
    let graph = Graph::read(module).map_err(Error::Module)?;
    let mut strip = Strip {
        live: graph.live(),
        next: graph.imported,
    };
    let mut out = Module::new();
    strip
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| Error::Encode(error.to_string()))?;
    Ok(out.finish())
}

/// The references between functions.
#[derive(Default)]
struct Graph {
    imported: u32,
    roots: Vec<u32>,
    calls: Vec<Vec<u32>>,
}

impl Graph {
    fn read(module: &[u8]) -> wasmparser::Result<Self> {
        let mut graph = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if matches!(import?.ty, wasmparser::TypeRef::Func(_)) {
                            graph.imported += 1;
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func && export.name != MANIFEST_EXPORT {
                            graph.roots.push(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => graph.roots.push(func),
                Payload::GlobalSection(section) => {
                    for global in section {
                        named(global?.init_expr.get_operators_reader(), &mut graph.roots)?;
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        match element?.items {
                            ElementItems::Functions(functions) => {
                                for function in functions {
                                    graph.roots.push(function?);
                                }
                            }
                            ElementItems::Expressions(_, expressions) => {
                                for expression in expressions {
                                    let operators = expression?.get_operators_reader();
                                    named(operators, &mut graph.roots)?;
                                }
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut calls = Vec::new();
                    named(body.get_operators_reader()?, &mut calls)?;
                    graph.calls.push(calls);
                }
                _ => {}
            }
        }
        Ok(graph)
    }

    fn live(&self) -> HashSet<u32> {
        let mut live = HashSet::new();
        let mut waiting = self.roots.clone();
        while let Some(function) = waiting.pop() {
            if live.insert(function)
                && let Some(own) = function.checked_sub(self.imported)
                && let Some(calls) = self.calls.get(own as usize)
            {
                waiting.extend(calls);
            }
        }
        live
    }
}

/// Returns the functions that instructions reference.
fn named(
    operators: wasmparser::OperatorsReader<'_>,
    names: &mut Vec<u32>,
) -> wasmparser::Result<()> {
    for operator in operators {
        match operator? {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => names.push(function_index),
            _ => {}
        }
    }
    Ok(())
}

struct Strip {
    live: HashSet<u32>,
    next: u32,
}

impl Reencode for Strip {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: Export<'_>,
    ) -> Result<(), ReencodeError<Self::Error>> {
        if export.name == MANIFEST_EXPORT {
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), ReencodeError<Self::Error>> {
        let index = self.next;
        self.next += 1;
        if self.live.contains(&index) {
            return utils::parse_function_body(self, code, body);
        }
        let mut empty = Function::new([]);
        empty.instructions().unreachable().end();
        code.function(&empty);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ExportKind, FunctionSection, TypeSection, ValType};

    use super::*;

    /// Returns a module of three functions: `run`, the manifest's, and one that only the latter
    /// calls.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], [ValType::I64]);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0).function(0);
        let mut exports = ExportSection::new();
        exports
            .export("run", ExportKind::Func, 0)
            .export(MANIFEST_EXPORT, ExportKind::Func, 1);
        let mut code = CodeSection::new();
        for callee in [None, Some(2), None] {
            let mut function = Function::new([]);
            match callee {
                Some(callee) => function.instructions().call(callee).end(),
                None => function.instructions().i64_const(1 << 40).end(),
            };
            code.function(&function);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    #[test]
    fn what_only_the_manifest_needs_loses_its_body() {
        let stripped = manifest_code(&module()).expect("strips");
        wasmparser::Validator::new()
            .validate_all(&stripped)
            .expect("valid");
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(&stripped) {
            match payload.expect("parses") {
                Payload::ExportSection(section) => {
                    let names: Vec<_> = section
                        .into_iter()
                        .map(|export| export.expect("an export").name)
                        .collect();
                    assert_eq!(names, ["run"]);
                }
                Payload::CodeSectionEntry(body) => {
                    let mut operators = body.get_operators_reader().expect("a body");
                    bodies.push(matches!(operators.read(), Ok(Operator::Unreachable)));
                }
                _ => {}
            }
        }
        assert_eq!(bodies, [false, true, true]);
    }
}
