use parse_dockerfile::{Dockerfile, FromInstruction, Instruction, Source};

/// A stage of a Dockerfile.
pub(crate) struct Stage<'b, 'd> {
    pub(crate) from: &'b FromInstruction<'d>,
    pub(crate) from_text: String,
    pub(crate) name: Option<String>,
    pub(crate) lines: Vec<Line<'b, 'd>>,
    /// Whether the stage to build depends on it.
    pub(crate) needed: bool,
}

/// An instruction and how to speak of it.
pub(crate) struct Line<'b, 'd> {
    /// In the file, counted from 1.
    pub(crate) number: usize,
    /// As written, on one line.
    pub(crate) text: String,
    pub(crate) instruction: &'b Instruction<'d>,
}

/// Longest text of an instruction in the log and the history.
const LONGEST: usize = 400;

/// The stages up to the one to build, which is the last of them.
pub(crate) fn stages<'b, 'd>(
    dockerfile: &'b Dockerfile<'d>,
    text: &str,
    target: Option<&str>,
) -> Result<Vec<Stage<'b, 'd>>, String> {
    let escape = escape(dockerfile);
    let starts: Vec<usize> = dockerfile.instructions.iter().map(start).collect();
    let shown = |at: usize| {
        let next = starts
            .iter()
            .copied()
            .filter(|&other| other > at)
            .min()
            .unwrap_or(text.len());
        let mut line = one_line(&text[at..next], escape);
        if let Some((end, _)) = line.char_indices().nth(LONGEST) {
            line.truncate(end);
            line.push('…');
        }
        line
    };
    let number = |at: usize| text[..at].matches('\n').count() + 1;
    let mut stages: Vec<Stage<'b, 'd>> = dockerfile
        .stages()
        .map(|stage| Stage {
            from: stage.from,
            from_text: shown(stage.from.from.span.start),
            name: stage
                .from
                .as_
                .as_ref()
                .map(|(_, name)| name.value.to_lowercase()),
            lines: stage
                .instructions
                .iter()
                .map(|instruction| {
                    let at = start(instruction);
                    Line {
                        number: number(at),
                        text: shown(at),
                        instruction,
                    }
                })
                .collect(),
            needed: false,
        })
        .collect();
    if let Some(target) = target {
        let found = find(&stages, target, stages.len());
        let index = found.ok_or_else(|| format!("{target} is not a valid target build stage"))?;
        stages.truncate(index + 1);
    }
    need(&mut stages);
    Ok(stages)
}

fn need(stages: &mut [Stage<'_, '_>]) {
    let Some(last) = stages.last_mut() else {
        return;
    };
    last.needed = true;
    for index in (0..stages.len()).rev() {
        if !stages[index].needed {
            continue;
        }
        let mut wanted = vec![stages[index].from.image.value.to_string()];
        for line in &stages[index].lines {
            wanted.extend(copies_from(line.instruction));
        }
        for name in wanted {
            if let Some(other) = find(stages, &name, index) {
                stages[other].needed = true;
            }
        }
    }
}

/// The stage before `before` with a name or a number.
pub(crate) fn find(stages: &[Stage<'_, '_>], name: &str, before: usize) -> Option<usize> {
    let lower = name.to_lowercase();
    let named = stages[..before]
        .iter()
        .rposition(|stage| stage.name.as_ref() == Some(&lower));
    named.or_else(|| name.parse().ok().filter(|&index: &usize| index < before))
}

fn copies_from(instruction: &Instruction<'_>) -> Option<String> {
    let Instruction::Copy(copy) = instruction else {
        return None;
    };
    let from = copy.options.iter().find(|flag| flag.name.value == "from")?;
    from.value.as_ref().map(|value| value.value.to_string())
}

/// Whether any needed stage copies from the context.
pub(crate) fn use_context(stages: &[Stage<'_, '_>]) -> bool {
    let lines = stages
        .iter()
        .filter(|stage| stage.needed)
        .flat_map(|stage| &stage.lines);
    lines.into_iter().any(|line| match line.instruction {
        Instruction::Add(_) => true,
        Instruction::Copy(copy) => {
            copies_from(line.instruction).is_none()
                && copy
                    .src
                    .iter()
                    .any(|source| matches!(source, Source::Path(_)))
        }
        _ => false,
    })
}

/// The character that continues lines and takes meanings away.
pub(crate) fn escape(dockerfile: &Dockerfile<'_>) -> char {
    dockerfile
        .parser_directives
        .escape
        .as_ref()
        .map_or('\\', |escape| escape.value.value)
}

/// Text without continuations and the comments between them.
pub(crate) fn unfold(text: &str, escape: char) -> String {
    let mut out = String::new();
    let mut continued = false;
    for line in text.lines() {
        if continued && line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(line) = line.trim_end().strip_suffix(escape) {
            out.push_str(line);
            continued = true;
        } else {
            out.push_str(line);
            if !continued || !line.trim().is_empty() {
                out.push('\n');
                continued = false;
            }
        }
    }
    out.trim_end().to_owned()
}

fn one_line(text: &str, escape: char) -> String {
    let text = unfold(text, escape);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

fn start(instruction: &Instruction<'_>) -> usize {
    let keyword = match instruction {
        Instruction::Add(i) => &i.add,
        Instruction::Arg(i) => &i.arg,
        Instruction::Cmd(i) => &i.cmd,
        Instruction::Copy(i) => &i.copy,
        Instruction::Entrypoint(i) => &i.entrypoint,
        Instruction::Env(i) => &i.env,
        Instruction::Expose(i) => &i.expose,
        Instruction::From(i) => &i.from,
        Instruction::Healthcheck(i) => &i.healthcheck,
        Instruction::Label(i) => &i.label,
        Instruction::Maintainer(i) => &i.maintainer,
        Instruction::Onbuild(i) => &i.onbuild,
        Instruction::Run(i) => &i.run,
        Instruction::Shell(i) => &i.shell,
        Instruction::Stopsignal(i) => &i.stopsignal,
        Instruction::User(i) => &i.user,
        Instruction::Volume(i) => &i.volume,
        Instruction::Workdir(i) => &i.workdir,
        _ => return 0,
    };
    keyword.span.start
}
