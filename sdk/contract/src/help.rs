//! Converts commands to and from the records of the contract (`sdk/wit`). Host and guest each
//! generate their own Rust types for these records.

/// Defines `command_to_wit` and `command_from_wit` for the types that a module generated from the
/// contract.
#[macro_export]
macro_rules! wit_commands {
    ($($types:ident)::+) => {
        /// Returns a command as a record of the contract.
        fn command_to_wit(command: $crate::Command) -> $($types)::+::Command {
            let piece = |piece| match piece {
                $crate::Piece::Text(text) => $($types)::+::Piece::Text(text),
                $crate::Piece::Output { output } => $($types)::+::Piece::Output(output),
            };
            let (words, input) = command.into_parts();
            let words = words.into_iter();
            let words = words.map(|word| word.into_iter().map(piece).collect());
            $($types)::+::Command {
                words: words.collect(),
                input,
            }
        }

        /// Returns the command of a contract record, or `None` if it has no program and so cannot
        /// be run.
        fn command_from_wit(command: $($types)::+::Command) -> Option<$crate::Command> {
            let piece = |piece| match piece {
                $($types)::+::Piece::Text(text) => $crate::Piece::Text(text),
                $($types)::+::Piece::Output(output) => $crate::Piece::Output { output },
            };
            let words = command.words.into_iter();
            let words = words.map(|word| word.into_iter().map(piece).collect());
            $crate::Command::from_parts(words.collect(), command.input)
        }
    };
}
