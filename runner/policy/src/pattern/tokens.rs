//! Pattern tokens, and matching of patterns against texts or other patterns.

use super::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A literal character.
    One(char),
    /// `*`
    Star,
    /// `**`
    Deep,
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for character in text.chars() {
        match (character, tokens.last()) {
            ('*', Some(Token::Star)) => {
                tokens.pop();
                tokens.push(Token::Deep);
            }
            ('*', Some(Token::Deep)) => {}
            ('*', _) => tokens.push(Token::Star),
            (other, _) => tokens.push(Token::One(other)),
        }
    }
    tokens
}

pub(super) fn literal(text: &str) -> Vec<Token> {
    text.chars().map(Token::One).collect()
}

/// Returns the end of the subject's host. Dots before it are separators.
fn host_end(subject: &[Token], kind: Kind) -> usize {
    match kind {
        Kind::Host => subject.len(),
        Kind::Image => {
            let slash = subject.iter().position(|token| *token == Token::One('/'));
            // A `**` may match the first slash, so every dot may belong to the host.
            let deep = subject.iter().position(|token| *token == Token::Deep);
            match (slash, deep) {
                (Some(slash), Some(deep)) if deep < slash => subject.len(),
                (None, Some(_)) => subject.len(),
                (slash, _) => slash.unwrap_or(0),
            }
        }
        Kind::Path | Kind::Name | Kind::Prefix => 0,
    }
}

/// Returns whether the pattern's tokens match the subject's: a literal matches only itself, `*`
/// everything except separators and `**`, and `**` everything.
pub(super) fn matches(pattern: &[Token], subject: &[Token], kind: Kind) -> bool {
    let host = host_end(subject, kind);
    let mut reach = vec![false; subject.len() + 1];
    reach[0] = true;
    for token in pattern {
        match token {
            Token::One(wanted) => {
                for i in (0..subject.len()).rev() {
                    reach[i + 1] = reach[i] && subject[i] == Token::One(*wanted);
                }
                reach[0] = false;
            }
            Token::Star => {
                for i in 0..subject.len() {
                    let within = match subject[i] {
                        Token::One('/') | Token::Deep => false,
                        Token::One('.') => i >= host,
                        _ => true,
                    };
                    reach[i + 1] = reach[i + 1] || (reach[i] && within);
                }
            }
            Token::Deep => {
                for i in 0..subject.len() {
                    reach[i + 1] = reach[i + 1] || reach[i];
                }
            }
        }
    }
    reach[subject.len()]
}
