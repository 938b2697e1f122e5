use std::collections::BTreeMap;

use serde_json::Value;

use crate::Literal;

/// A set of kinds of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scalars(u16);

impl Scalars {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// null.
    pub const NULL: Self = Self(1);
    /// true and false.
    pub const BOOLEAN: Self = Self(1 << 1);
    /// Whole numbers.
    pub const INT: Self = Self(1 << 2);
    /// Whole numbers without a sign.
    pub const UINT: Self = Self(1 << 3);
    /// Numbers with a fraction.
    pub const DOUBLE: Self = Self(1 << 4);
    /// Texts.
    pub const TEXT: Self = Self(1 << 5);
    /// Bytes.
    pub const BYTES: Self = Self(1 << 6);
    /// Times.
    pub const TIMESTAMP: Self = Self(1 << 7);
    /// Durations.
    pub const DURATION: Self = Self(1 << 8);
    /// All numbers.
    pub const NUMBER: Self = Self(Self::INT.0 | Self::UINT.0 | Self::DOUBLE.0);
    /// The keys of maps.
    pub const KEY: Self = Self(Self::BOOLEAN.0 | Self::NUMBER.0 | Self::TEXT.0);
    /// The kinds, each with its name in messages.
    const NAMED: [(Self, &'static str); 9] = [
        (Self::TEXT, "a string"),
        (Self::BOOLEAN, "a boolean"),
        (Self::INT, "a whole number"),
        (Self::UINT, "an unsigned number"),
        (Self::DOUBLE, "a number with a fraction"),
        (Self::BYTES, "bytes"),
        (Self::TIMESTAMP, "a timestamp"),
        (Self::DURATION, "a duration"),
        (Self::NULL, "null"),
    ];

    /// Returns the kinds of both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the kinds that both sets have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns whether the set has no kind.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn names(self) -> Vec<&'static str> {
        let mut names = Vec::new();
        let whole = Self::INT.or(Self::UINT);
        for (one, name) in Self::NAMED {
            let name = match one {
                _ if one.and(self).is_empty() => continue,
                Self::INT if self.and(Self::NUMBER) == Self::NUMBER => "a number",
                Self::UINT if self.and(whole) == whole => continue,
                Self::DOUBLE if self.and(Self::NUMBER) == Self::NUMBER => continue,
                _ => name,
            };
            names.push(name);
        }
        names
    }
}

/// The maximum number of kinds that a message names.
const MOST_NAMED: usize = 3;

/// The values that a part of an expression may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Type {
    /// Whether any value is possible.
    any: bool,
    /// Whether that is because a part of the expression is wrong. What follows from it is not
    /// reported.
    wrong: bool,
    pub(super) scalars: Scalars,
    /// The items, if a list is possible.
    pub(super) list: Option<Box<Type>>,
    /// The fields, if a map is possible.
    pub(super) map: Option<Box<Fields>>,
}

/// The fields of a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// The fields whose names are known. A map may lack any of them.
    pub known: BTreeMap<String, Type>,
    /// The values of other fields, if there may be any.
    pub others: Option<Type>,
}

impl Type {
    /// Returns the type of any value.
    pub fn any() -> Self {
        Self {
            any: true,
            ..Self::default()
        }
    }

    /// Returns the type of a part that is wrong.
    pub(super) fn wrong() -> Self {
        Self {
            wrong: true,
            ..Self::any()
        }
    }

    /// Returns the type without any value, as of the items of an empty list.
    pub fn never() -> Self {
        Self::default()
    }

    /// Returns the type of a list.
    pub fn list(items: Self) -> Self {
        Self {
            list: Some(Box::new(items)),
            ..Self::default()
        }
    }

    /// Returns the type of a map.
    pub fn map(fields: Fields) -> Self {
        Self {
            map: Some(Box::new(fields)),
            ..Self::default()
        }
    }

    /// Returns the type of a map whose fields are not known.
    pub fn any_map() -> Self {
        Self::map(Fields {
            known: BTreeMap::new(),
            others: Some(Self::any()),
        })
    }

    /// Returns the type of one value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Scalars::NULL.into(),
            Value::Bool(_) => Scalars::BOOLEAN.into(),
            Value::Number(number) if number.is_i64() => Scalars::INT.into(),
            Value::Number(number) if number.is_u64() => Scalars::UINT.into(),
            Value::Number(_) => Scalars::DOUBLE.into(),
            Value::String(_) => Scalars::TEXT.into(),
            Value::Array(items) => {
                Self::list(items.iter().map(Self::of).fold(Self::never(), Self::or))
            }
            Value::Object(map) => Self::map(Fields {
                known: map
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::of(value)))
                    .collect(),
                others: None,
            }),
        }
    }

    /// Returns the type of the values of both types.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.any || other.any {
            return Self {
                wrong: self.wrong || other.wrong,
                ..Self::any()
            };
        }
        Self {
            any: false,
            wrong: false,
            scalars: self.scalars.or(other.scalars),
            list: either(self.list, other.list, |a, b| Box::new(a.or(*b))),
            map: either(self.map, other.map, |a, b| Box::new(a.or(*b))),
        }
    }

    /// Returns whether any value is possible.
    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Returns whether a part of the expression is wrong, so that nothing is known of this one.
    pub(super) fn is_wrong(&self) -> bool {
        self.wrong
    }

    /// Returns whether no value is possible.
    pub fn is_never(&self) -> bool {
        *self == Self::never()
    }

    /// Returns whether a value of one of these kinds is possible.
    pub fn may_be(&self, kinds: Scalars) -> bool {
        self.any || !self.scalars.and(kinds).is_empty()
    }

    /// Returns whether a list is possible.
    pub fn may_be_list(&self) -> bool {
        self.any || self.list.is_some()
    }

    /// Returns whether a map is possible.
    pub fn may_be_map(&self) -> bool {
        self.any || self.map.is_some()
    }

    /// Returns whether a value may be of both types, or nothing is possible. Items and fields are
    /// not compared.
    pub fn overlaps(&self, other: &Self) -> bool {
        let both = |a: bool, b: bool| a && b;
        self.is_never()
            || self.any
            || other.any
            || !self.scalars.and(other.scalars).is_empty()
            || both(self.list.is_some(), other.list.is_some())
            || both(self.map.is_some(), other.map.is_some())
    }

    /// Returns the type without null.
    #[must_use]
    pub(super) fn without_null(mut self) -> Self {
        self.scalars = Scalars(self.scalars.0 & !Scalars::NULL.0);
        self
    }

    /// Returns the type of a field, or `None` if no possible value has it.
    pub fn field(&self, name: &str) -> Option<Self> {
        if self.any || self.is_never() {
            return Some(self.clone().or(Self::any()));
        }
        let fields = self.map.as_ref()?;
        fields.known.get(name).or(fields.others.as_ref()).cloned()
    }

    /// Returns the type of a list's items, or of a map's values.
    pub(super) fn items(&self) -> Self {
        if self.any {
            return self.clone();
        }
        let list = self.list.as_deref().cloned().unwrap_or_default();
        let values = self.map.iter().flat_map(|fields| {
            let others = fields.others.iter();
            fields.known.values().chain(others).cloned()
        });
        values.fold(list, Self::or)
    }

    /// Returns the kinds of values, as messages name them. null is named only if it is the only one.
    pub fn describe(&self) -> String {
        let mut names = self.scalars.names();
        names.extend(self.list.is_some().then_some("a list"));
        names.extend(self.map.is_some().then_some("a map"));
        if names.len() > 1 {
            names.retain(|name| *name != "null");
        }
        if self.any || names.is_empty() || names.len() > MOST_NAMED {
            return "a value".to_owned();
        }
        names.join(" or ")
    }
}

impl Fields {
    fn or(self, other: Self) -> Self {
        let mut known = self.known;
        // A field that only one map knows may be one of the other map's unknown ones.
        if let Some(others) = &other.others {
            for (name, kind) in &mut known {
                if !other.known.contains_key(name) {
                    *kind = std::mem::take(kind).or(others.clone());
                }
            }
        }
        for (name, kind) in other.known {
            let mine = known.remove(&name).or_else(|| self.others.clone());
            known.insert(name, mine.unwrap_or_default().or(kind));
        }
        Self {
            known,
            others: either(self.others, other.others, Type::or),
        }
    }
}

fn either<T>(a: Option<T>, b: Option<T>, both: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (a, b) => a.or(b),
    }
}

impl From<Scalars> for Type {
    fn from(scalars: Scalars) -> Self {
        Self {
            scalars,
            ..Self::default()
        }
    }
}

impl From<Literal> for Type {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Null => Scalars::NULL,
            Literal::Boolean => Scalars::BOOLEAN,
            Literal::Int => Scalars::INT,
            Literal::Uint => Scalars::UINT,
            Literal::Double => Scalars::DOUBLE,
            Literal::Bytes => Scalars::BYTES,
        }
        .into()
    }
}
