//! Whole numbers with bounds.

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::{Node, Reader, Value};

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Number<MIN, MAX> {
    /// The number in a type that is known to hold `MAX`.
    pub(crate) fn fit<T: TryFrom<u64>>(self) -> T {
        T::try_from(self.0)
            .ok()
            .expect("MAX fits into the type that the caller names")
    }
}

impl<const MIN: u64, const MAX: u64> Value for Number<MIN, MAX> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let write = format!("write a number from {MIN} to {MAX}");
        let DeValue::Integer(integer) = node.value else {
            super::wrong_type(node, reader, write);
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX);
        let fits = u64::try_from(number)
            .ok()
            .filter(|number| (MIN..=MAX).contains(number));
        if fits.is_none() {
            let side = if number < i128::from(MIN) {
                "too small"
            } else {
                "too large"
            };
            reader
                .report
                .error(&node.place, format!("is {integer}, which is {side}"), write);
        }
        fits.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
