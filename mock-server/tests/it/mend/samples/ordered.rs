//! JSON whose objects keep the order of their keys.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ordered {
    Object(Vec<(String, Ordered)>),
    Array(Vec<Ordered>),
    Other(Value),
}
use Ordered::{Array, Object, Other};

impl Ordered {
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The same without an order.
    pub(super) fn into_value(self) -> Value {
        serde_json::to_value(self).unwrap()
    }

    /// Places where two values differ: a key that only one has, another order of keys, another type or value.
    pub(super) fn differences(&self, other: &Self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.compare(other, "", &mut found);
        found
    }

    fn compare(&self, other: &Self, place: &str, found: &mut BTreeSet<String>) {
        match (self, other) {
            (Object(left), Object(right)) => {
                let below =
                    |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
                let keys = |of: &[(String, Self)], beside: &[(String, Self)]| -> Vec<String> {
                    let shared = of.iter().filter(|(key, _)| beside.iter().any(|(other, _)| other == key));
                    shared.map(|(key, _)| key.clone()).collect()
                };
                if keys(left, right) != keys(right, left) {
                    found.insert(format!("{place} (order of keys)"));
                }
                for (key, value) in left {
                    match right.iter().find(|(other, _)| other == key) {
                        Some((_, other)) => value.compare(other, &below(key), found),
                        None => drop(found.insert(below(key))),
                    }
                }
                let added = right.iter().filter(|(key, _)| left.iter().all(|(other, _)| other != key));
                found.extend(added.map(|(key, _)| below(key)));
            }
            (Array(left), Array(right)) if left.len() == right.len() => {
                for (index, (left, right)) in left.iter().zip(right).enumerate() {
                    left.compare(right, &format!("{place}[{index}]"), found);
                }
            }
            (left, right) if left == right => {}
            _ => drop(found.insert(place.to_owned())),
        }
    }

    /// Puts a placeholder in the place of a text at the top, if the text is as it should be.
    pub(super) fn hide(&mut self, field: &str, is_right: impl Fn(&str) -> bool) {
        let Object(fields) = self else { return };
        if let Some((_, value)) = fields.iter_mut().find(|(key, _)| key == field) {
            let Other(Value::String(text)) = &value else { panic!("{field} is no text") };
            assert!(is_right(text), "{field}: {text}");
            *value = Other(Value::from("[made up]"));
        }
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Object(fields) => serializer.collect_map(fields.iter().map(|(key, value)| (key, value))),
            Array(values) => serializer.collect_seq(values),
            Other(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Ordered;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut fields: Vec<(String, Ordered)> = Vec::new();
                while let Some(field) = map.next_entry::<String, Ordered>()? {
                    assert!(fields.iter().all(|(key, _)| *key != field.0), "{} is there twice", field.0);
                    fields.push(field);
                }
                Ok(Object(fields))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Ordered, A::Error> {
                let mut all = Vec::new();
                while let Some(value) = values.next_element()? {
                    all.push(value);
                }
                Ok(Array(all))
            }

            fn visit_str<E>(self, text: &str) -> Result<Ordered, E> {
                Ok(Other(Value::from(text)))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
                Ok(Other(Value::from(value)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Ordered, E> {
                Ok(Other(Value::from(number)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Ordered, E> {
                Ok(Other(Value::from(number)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Ordered, E> {
                Ok(Other(Value::from(number)))
            }

            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Other(Value::Null))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
