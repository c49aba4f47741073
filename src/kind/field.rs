//! The table of a kind's fields.

use serde_json::{Value, json};

/// One parameter of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As it is written in a pipeline.
    pub name: &'static str,
    /// Which values it takes.
    pub range: Range,
    /// Its value where nothing is said; nothing for a field that must be said.
    pub default: Option<Scalar>,
    /// What it is, in a line: with its symbol and its unit, where it has them.
    pub doc: &'static str,
}

/// The values that a field takes.
#[derive(Clone, Copy, Debug)]
pub enum Range {
    /// A finite number between two bounds; `want` names it in errors: "a learning rate above 0".
    Number {
        /// Least.
        low: Bound,
        /// Largest.
        high: Bound,
        /// For errors.
        want: &'static str,
    },
    /// A whole number in `low..=high`.
    Whole {
        /// Least.
        low: u64,
        /// Largest.
        high: u64,
    },
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Two numbers in [0, 1).
    Shares,
    /// Epochs, each at least 1; they are sorted.
    Epochs,
    /// Any text.
    Text,
    /// A list of texts.
    Texts,
}

/// One end of a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// None.
    Free,
    /// This number and beyond.
    At(f64),
    /// Beyond this number.
    Past(f64),
}

/// A field's default.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(u64),
    /// True or false.
    Flag(bool),
    /// A word.
    Word(&'static str),
    /// Two numbers.
    Pair([f64; 2]),
    /// Texts.
    Words(&'static [&'static str]),
    /// What follows from other fields, or from the files; these words say how.
    Derived(&'static str),
}

impl Field {
    /// A number above 0; `want` as in [`Range::Number`].
    pub const fn above_0(name: &'static str, want: &'static str, doc: &'static str) -> Self {
        let range = Range::Number { low: Bound::Past(0.0), high: Bound::Free, want };
        Self { name, range, default: None, doc }
    }

    /// A number of 0 or more.
    pub const fn from_0(name: &'static str, want: &'static str, doc: &'static str) -> Self {
        let range = Range::Number { low: Bound::At(0.0), high: Bound::Free, want };
        Self { name, range, default: None, doc }
    }

    /// A number in [0, 1).
    pub const fn below_1(name: &'static str, doc: &'static str) -> Self {
        let (low, high) = (Bound::At(0.0), Bound::Past(1.0));
        let range = Range::Number { low, high, want: "a number in [0, 1)" };
        Self { name, range, default: None, doc }
    }

    /// A weight in [0, 1].
    pub const fn weight(name: &'static str, doc: &'static str) -> Self {
        let (low, high) = (Bound::At(0.0), Bound::At(1.0));
        let range = Range::Number { low, high, want: "a weight in [0, 1]" };
        Self { name, range, default: None, doc }
    }

    /// A whole number in `low..=high`.
    pub const fn whole(name: &'static str, low: u64, high: u64, doc: &'static str) -> Self {
        Self { name, range: Range::Whole { low, high }, default: None, doc }
    }

    /// True or false.
    pub const fn flag(name: &'static str, doc: &'static str) -> Self {
        Self { name, range: Range::Flag, default: None, doc }
    }

    /// One of `words`.
    pub const fn word(
        name: &'static str,
        words: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        Self { name, range: Range::Word(words), default: None, doc }
    }

    /// A text.
    pub const fn text(name: &'static str, doc: &'static str) -> Self {
        Self { name, range: Range::Text, default: None, doc }
    }

    /// A list of texts.
    pub const fn texts(name: &'static str, doc: &'static str) -> Self {
        Self { name, range: Range::Texts, default: None, doc }
    }

    /// The same field with a default.
    pub const fn or(self, default: Scalar) -> Self {
        Self { default: Some(default), ..self }
    }
}

impl Bound {
    /// Whether `number` is on the right side of a lower bound.
    pub fn is_below(self, number: f64) -> bool {
        match self {
            Self::Free => true,
            Self::At(bound) => bound <= number,
            Self::Past(bound) => bound < number,
        }
    }

    /// Whether `number` is on the right side of an upper bound.
    pub fn is_above(self, number: f64) -> bool {
        match self {
            Self::Free => true,
            Self::At(bound) => number <= bound,
            Self::Past(bound) => number < bound,
        }
    }
}

impl Scalar {
    /// As JSON; null for what is derived.
    pub fn json(self) -> Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Whole(number) => json!(number),
            Self::Flag(value) => json!(value),
            Self::Word(word) => json!(word),
            Self::Pair(pair) => json!(pair),
            Self::Words(words) => json!(words),
            Self::Derived(_) => Value::Null,
        }
    }

    /// For readers: how it is derived, or its JSON.
    pub fn words(self) -> String {
        match self {
            Self::Derived(words) => words.to_owned(),
            given => given.json().to_string(),
        }
    }
}
