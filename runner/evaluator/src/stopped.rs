use std::fmt;

/// The reason why the evaluator did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// A budget is exceeded.
    Budget(Budget),
    /// The evaluator does not work; the text is the error of this build or this machine.
    Broken(String),
}

/// A limit of the evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// The maximum number of steps of one evaluation.
    Steps(u64),
    /// The maximum number of steps of all evaluations of a run.
    StepsInAll(u64),
    /// The maximum memory of one evaluation, in bytes.
    Memory(usize),
    /// The maximum depth of calls.
    Depth,
    /// The maximum size of one answer in the host, in bytes.
    Value(usize),
    /// The maximum size of all answers of a run in the host, in bytes.
    ValuesInAll(usize),
}

const ONE: &str = "the budget of one evaluation";

impl From<Budget> for Stopped {
    fn from(budget: Budget) -> Self {
        Self::Budget(budget)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => {
                write!(f, "this takes more than {} steps, {ONE}", grouped(*steps))
            }
            Self::StepsInAll(steps) => write!(
                f,
                "the expressions and schemas of this run take more than {} steps in all",
                grouped(*steps)
            ),
            Self::Memory(bytes) => write!(
                f,
                "this takes more than {} MiB of memory, {ONE}",
                bytes >> 20
            ),
            Self::Depth => f.write_str("this nests too deep"),
            Self::Value(bytes) => write!(f, "this yields more than {} MiB", bytes >> 20),
            Self::ValuesInAll(bytes) => write!(
                f,
                "the expressions of this run yield more than {} MiB in all",
                bytes >> 20
            ),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(budget) => budget.fmt(f),
            Self::Broken(why) => write!(f, "the evaluator does not work: {why}"),
        }
    }
}

/// Formats a number with a comma between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_named_with_their_numbers() {
        for (budget, said) in [
            (
                Budget::Steps(1_000_000_000),
                "this takes more than 1,000,000,000 steps, the budget of one evaluation",
            ),
            (
                Budget::Steps(999),
                "this takes more than 999 steps, the budget of one evaluation",
            ),
            (
                Budget::Memory(64 << 20),
                "this takes more than 64 MiB of memory, the budget of one evaluation",
            ),
            (Budget::Value(16 << 20), "this yields more than 16 MiB"),
        ] {
            assert_eq!(Stopped::from(budget).to_string(), said);
        }
    }
}
