use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The length of the digest that makes a name unique, in hexadecimal digits: 80 bits.
pub(crate) const DIGEST: usize = 20;

/// The kind of name that an encoding makes. Names of different kinds have different digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An external object: a pod, a Secret.
    Object = 1,
    /// A file of a run's folder.
    File = 2,
    /// A run named by a CI system.
    CiRun = 3,
    /// A further run of the same CI job.
    CiRunAgain = 4,
    /// A plugin's compiled code.
    Compiled = 5,
    /// The label of a run's objects.
    Label = 9,
    /// The trace of a run.
    Trace = 6,
    /// The span of a run.
    RunSpan = 7,
    /// The span of an attempt.
    AttemptSpan = 8,
    /// A Role in a cluster.
    Role = 10,
}

/// The parts that a name is derived from, as bytes with exactly one way to read them back.
///
/// Each part begins with a byte for its type. A part of variable length has its length in front, as
/// 64 bits, big-endian. So no part's encoding is a prefix of another part's, and different lists of
/// parts have different encodings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding(Vec<u8>);

/// The types of parts.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const NUMBER: u8 = 3;
    pub(super) const TEXT: u8 = 4;
    pub(super) const BYTES: u8 = 5;
    pub(super) const LIST: u8 = 6;
    pub(super) const MAP: u8 = 7;
}

impl Encoding {
    /// Starts the encoding of a name.
    pub fn of(kind: Kind) -> Self {
        Self(vec![kind as u8])
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.measured(tag::TEXT, text.as_bytes());
        self
    }

    /// Adds an optional text.
    #[must_use]
    pub fn optional(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.push(tag::NULL);
                self
            }
        }
    }

    /// Adds an integer.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.measured(tag::NUMBER, number.to_string().as_bytes());
        self
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.measured(tag::BYTES, bytes);
        self
    }

    /// Adds a value with its type. The order of a map's keys does not matter.
    #[must_use]
    pub fn value(mut self, value: &Value) -> Self {
        match value {
            Value::Null => self.0.push(tag::NULL),
            Value::Bool(false) => self.0.push(tag::FALSE),
            Value::Bool(true) => self.0.push(tag::TRUE),
            Value::Number(number) => self.measured(tag::NUMBER, number.to_string().as_bytes()),
            Value::String(text) => self.measured(tag::TEXT, text.as_bytes()),
            Value::Array(items) => {
                self.counted(tag::LIST, items.len());
                return items.iter().fold(self, Self::value);
            }
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                self.counted(tag::MAP, entries.len());
                return entries.into_iter().fold(self, |encoding, (key, value)| {
                    encoding.text(key).value(value)
                });
            }
        }
        self
    }

    /// Returns the SHA-256 digest of the whole encoding.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Returns the digest that makes a name unique: 80 bits as 20 lower-case hexadecimal digits.
    pub fn digest(&self) -> String {
        hex::encode(&self.sha256()[..DIGEST / 2])
    }

    fn measured(&mut self, tag: u8, bytes: &[u8]) {
        self.counted(tag, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn counted(&mut self, tag: u8, count: usize) {
        self.0.push(tag);
        self.0.extend_from_slice(&(count as u64).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    /// Reads a value back, and returns the rest.
    fn decoded(bytes: &[u8]) -> (Value, &[u8]) {
        let (tag, rest) = bytes.split_first().expect("a part");
        if *tag <= tag::TRUE {
            let value = [Value::Null, json!(false), json!(true)];
            return (value[usize::from(*tag)].clone(), rest);
        }
        let (count, mut rest) = rest.split_at(8);
        let count = u64::from_be_bytes(count.try_into().expect("8 bytes")) as usize;
        match *tag {
            tag::LIST => {
                let items = (0..count).map(|_| {
                    let (item, after) = decoded(rest);
                    rest = after;
                    item
                });
                (Value::Array(items.collect()), rest)
            }
            tag::MAP => {
                let mut map = Map::new();
                for _ in 0..count {
                    let (key, after) = decoded(rest);
                    let (value, after) = decoded(after);
                    map.insert(key.as_str().expect("a key").to_owned(), value);
                    rest = after;
                }
                (Value::Object(map), rest)
            }
            tag => {
                let (text, rest) = rest.split_at(count);
                let text = std::str::from_utf8(text).expect("UTF-8");
                let value = match tag {
                    tag::NUMBER => serde_json::from_str(text).expect("a number"),
                    _ => json!(text),
                };
                (value, rest)
            }
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-4_i32..4).prop_map(|number| json!(f64::from(number) / 2.0)),
            "[1,a\"=\\[\\]]{0,4}|true|null|1".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab1]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Decoding returns the encoded parts, so no two lists share an encoding.
        #[test]
        fn parts_can_be_read_back(parts in prop::collection::vec(values(), 0..6)) {
            let encoding = parts.iter().fold(Encoding::of(Kind::Object), Encoding::value);
            let mut rest = &encoding.0[1..];
            let mut read = Vec::new();
            while !rest.is_empty() {
                let (value, after) = decoded(rest);
                read.push(value);
                rest = after;
            }
            prop_assert_eq!(read, parts);
        }
    }

    #[test]
    fn types_kinds_and_absence_differ() {
        let of = || Encoding::of(Kind::Object);
        let all = [
            of(),
            of().text("1"),
            of().number(1),
            of().bytes(b"1"),
            of().value(&json!(true)),
            of().text("true"),
            of().optional(None),
            of().optional(Some("")),
            of().text("a").text("b"),
            of().text("ab"),
            of().value(&json!(["a", "b"])),
            of().value(&json!({"a": "b"})),
            Encoding::of(Kind::File).text("1"),
        ];
        let digests: std::collections::HashSet<_> = all.iter().map(Encoding::digest).collect();
        assert_eq!(digests.len(), all.len());
        assert!(digests.iter().all(|digest| digest.len() == DIGEST));
        assert_eq!(of().value(&json!(1)), of().number(1));
        assert_eq!(
            of().value(&json!({"a": 1, "b": 2})),
            of().value(&json!({"b": 2, "a": 1}))
        );
    }
}
