//! The functions of expressions: CEL's own and Sidestep's.

use super::possible::{Fields, Scalars, Type};

/// The kinds of values that one argument of a function may have.
#[derive(Clone, Copy)]
pub(super) struct Takes {
    scalars: Scalars,
    /// Whether it takes lists and maps.
    several: bool,
}

/// The form in which a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `f(a)`.
    Plain,
    /// `a.f()`.
    OnReceiver,
    /// Either.
    Both,
}

/// A function; a receiver counts as its first argument.
pub(super) struct Function {
    /// Its arguments.
    pub(super) takes: &'static [Takes],
    /// The number of arguments that may be left out.
    pub(super) optional: usize,
    /// Whether further arguments are ignored, as by Sidestep's own functions.
    pub(super) ignores_more: bool,
    result: Yields,
}

/// The result of a function.
#[derive(Clone, Copy)]
enum Yields {
    Is(Scalars),
    /// Any value.
    Any,
    /// The first argument, or the second one if it is null.
    First,
    /// A map of these fields.
    Map(&'static [(&'static str, Scalars)]),
}

const fn of(scalars: Scalars) -> Takes {
    Takes {
        scalars,
        several: false,
    }
}

const TEXT: Takes = of(Scalars::TEXT);
const ANY: Takes = Takes {
    scalars: EVERY,
    several: true,
};
const EVERY: Scalars = Scalars::NULL
    .or(Scalars::BOOLEAN)
    .or(Scalars::NUMBER)
    .or(Scalars::TEXT)
    .or(Scalars::BYTES)
    .or(TIME);
const TIME: Scalars = Scalars::TIMESTAMP.or(Scalars::DURATION);
const SIZED: Takes = Takes {
    scalars: Scalars::TEXT.or(Scalars::BYTES),
    several: true,
};
const NUMERIC: Scalars = Scalars::NUMBER.or(Scalars::TEXT);
const MAYBE_TEXT: Scalars = Scalars::TEXT.or(Scalars::NULL);

/// The arguments of conversions.
const TO_TEXT: Takes = of(NUMERIC.or(Scalars::BOOLEAN).or(Scalars::BYTES).or(TIME));
const TO_INT: Takes = of(NUMERIC.or(TIME));
const TO_NUMBER: Takes = of(NUMERIC);
const TO_BOOLEAN: Takes = of(Scalars::TEXT.or(Scalars::BOOLEAN));
const TO_BYTES: Takes = of(Scalars::TEXT.or(Scalars::BYTES));
const TO_DURATION: Takes = of(Scalars::TEXT.or(TIME));
const OF_TIME: Takes = of(TIME);

/// Sidestep's own functions.
const OWN: [&str; 10] = [
    "success",
    "failure",
    "cancelled",
    "always",
    "default",
    "image",
    "cluster",
    "bucket",
    "project",
    "repository",
];

/// The parts of an image reference.
const IMAGE: &[(&str, Scalars)] = &[
    ("repository", Scalars::TEXT),
    ("tag", Scalars::TEXT),
    ("digest", Scalars::TEXT),
    ("host", Scalars::TEXT),
];
/// The parts of a cluster's name.
const CLUSTER: &[(&str, Scalars)] = &[
    ("project", MAYBE_TEXT),
    ("location", MAYBE_TEXT),
    ("name", Scalars::TEXT),
];

/// Returns the function of this name in this form of call, or `None` if its arguments are not
/// known.
pub(super) fn find(name: &str, on_receiver: bool) -> Option<Function> {
    let (form, takes, result): (Form, &'static [Takes], Yields) = match name {
        "size" => (Form::Both, &[SIZED], Yields::Is(Scalars::INT)),
        "startsWith" | "endsWith" => (
            Form::OnReceiver,
            &[TEXT, TEXT],
            Yields::Is(Scalars::BOOLEAN),
        ),
        "matches" => (Form::Both, &[TEXT, TEXT], Yields::Is(Scalars::BOOLEAN)),
        "success" | "failure" | "cancelled" | "always" => {
            (Form::Plain, &[], Yields::Is(Scalars::BOOLEAN))
        }
        "default" => (Form::Plain, &[ANY, ANY], Yields::First),
        "string" => (Form::Plain, &[TO_TEXT], Yields::Is(Scalars::TEXT)),
        "int" => (Form::Plain, &[TO_INT], Yields::Is(Scalars::INT)),
        "uint" => (Form::Plain, &[TO_NUMBER], Yields::Is(Scalars::UINT)),
        "double" => (Form::Plain, &[TO_NUMBER], Yields::Is(Scalars::DOUBLE)),
        "bool" => (Form::Plain, &[TO_BOOLEAN], Yields::Is(Scalars::BOOLEAN)),
        "bytes" => (Form::Plain, &[TO_BYTES], Yields::Is(Scalars::BYTES)),
        "type" | "dyn" => (Form::Plain, &[ANY], Yields::Any),
        "duration" => (Form::Plain, &[TO_DURATION], Yields::Is(Scalars::DURATION)),
        "timestamp" => (Form::Plain, &[TO_INT], Yields::Is(Scalars::TIMESTAMP)),
        "getFullYear" | "getMonth" | "getDate" | "getDayOfMonth" | "getDayOfWeek"
        | "getDayOfYear" | "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds" => {
            (Form::OnReceiver, &[OF_TIME, TEXT], Yields::Is(Scalars::INT))
        }
        "image" => (Form::Plain, &[TEXT], Yields::Map(IMAGE)),
        "cluster" => (Form::Plain, &[TEXT], Yields::Map(CLUSTER)),
        "bucket" | "project" | "repository" => (Form::Plain, &[TEXT], Yields::Is(Scalars::TEXT)),
        _ => return None,
    };
    let fits = match form {
        Form::Plain => !on_receiver,
        Form::OnReceiver => on_receiver,
        Form::Both => true,
    };
    fits.then_some(Function {
        takes,
        optional: usize::from(name.starts_with("get")),
        ignores_more: OWN.contains(&name),
        result,
    })
}

impl Takes {
    /// Returns whether a value that is possible here may be taken.
    pub(super) fn accepts(self, given: &Type) -> bool {
        given.is_never()
            || given.may_be(self.scalars)
            || (self.several && (given.may_be_list() || given.may_be_map()))
    }

    /// Returns the kinds of values that it takes, for messages.
    pub(super) fn describe(self) -> &'static str {
        match (self.scalars, self.several) {
            (_, true) => "a string, bytes, a list or a map",
            (Scalars::TEXT, _) => "a string",
            (one, _) if one == TO_NUMBER.scalars => "a number or a string",
            (one, _) if one == TO_BOOLEAN.scalars => "a string or a boolean",
            (one, _) if one == TO_BYTES.scalars => "a string or bytes",
            (one, _) if one == OF_TIME.scalars => "a timestamp or a duration",
            (one, _) if one == TO_DURATION.scalars => "a string or a duration",
            (one, _) if one == TO_INT.scalars => "a number, a string or a timestamp",
            _ => "a number, a string, a boolean, bytes or a time",
        }
    }
}

impl Function {
    /// Returns the type of the result.
    pub(super) fn result(&self, given: &[Type]) -> Type {
        match (self.result, given) {
            (Yields::Is(scalars), _) => scalars.into(),
            (Yields::First, [first, second]) if !first.is_never() => {
                first.clone().without_null().or(second.clone())
            }
            (Yields::Any | Yields::First, _) => Type::any(),
            (Yields::Map(fields), _) => Type::map(Fields {
                known: fields
                    .iter()
                    .map(|(name, kind)| ((*name).to_owned(), Type::from(*kind)))
                    .collect(),
                others: None,
            }),
        }
    }
}
