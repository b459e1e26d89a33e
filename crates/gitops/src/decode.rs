//! Values decode into the shapes that the API server's objects decode into.
//!
//! A reference to a [`Node`] is a serde deserializer that lends its strings; numbers and strings are told apart as strictly
//! as in JSON, because the API server does. An error knows the field and the place in its file.

use std::fmt;
use std::slice;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::node::{Entry, Mapping};
use crate::path::Segment;
use crate::{Node, Origin, Value, path};

/// Why a value doesn't decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where the value stands that doesn't.
    pub origin: Origin,
    /// Its field, as `spec.template.spec.containers[0].image`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for DecodeError {}

impl Node {
    /// Decodes the value.
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, DecodeError> {
        T::deserialize(self).map_err(|error| DecodeError {
            origin: error.origin.unwrap_or(self.origin),
            field: path::join(error.route.iter().rev()),
            message: error.message,
        })
    }
}

/// An error on its way out: each level that it passes adds its key.
#[derive(Debug)]
pub struct Failure {
    message: String,
    origin: Option<Origin>,
    route: Vec<Segment>,
}

impl Failure {
    /// The innermost value that can be told is where the error is.
    fn at(mut self, origin: Origin) -> Self {
        self.origin = self.origin.or(Some(origin));
        self
    }

    fn under(mut self, segment: Segment) -> Self {
        self.route.push(segment);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl serde::de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), origin: None, route: Vec::new() }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let value = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Sequence(items) => visitor.visit_seq(Items { rest: items.iter().enumerate() }),
            Value::Mapping(mapping) => visitor.visit_map(Entries::of(mapping)),
        };
        value.map_err(|failure| failure.at(self.origin))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let chosen = match &self.value {
            Value::String(name) => Ok(Chosen { name, content: None }),
            Value::Mapping(mapping) if mapping.len() == 1 => match mapping.iter().next() {
                Some(entry) => Ok(Chosen { name: &entry.key, content: Some(&entry.value) }),
                None => Err(Unexpected::Map),
            },
            Value::Mapping(_) => Err(Unexpected::Map),
            Value::Sequence(_) => Err(Unexpected::Seq),
            Value::Null => Err(Unexpected::Unit),
            Value::Bool(value) => Err(Unexpected::Bool(*value)),
            Value::Integer(value) => Err(Unexpected::Signed(*value)),
            Value::Float(value) => Err(Unexpected::Float(*value)),
        };
        let value = chosen
            .map_err(|unexpected| Failure::invalid_type(unexpected, &"a string or a mapping with one key"))
            .and_then(|chosen| visitor.visit_enum(chosen));
        value.map_err(|failure| failure.at(self.origin))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

struct Items<'de> {
    rest: std::iter::Enumerate<slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((index, item)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|failure| failure.at(item.origin).under(Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Entries<'de> {
    rest: slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> Entries<'de> {
    fn of(mapping: &'de Mapping) -> Self {
        Self { rest: mapping.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.rest.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key = BorrowedStrDeserializer::<Failure>::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|failure| failure.at(entry.at))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let Some(entry) = self.current else { return Err(Failure::custom("a value without a key")) };
        let under = |failure: Failure| failure.at(entry.value.origin).under(Segment::Key(entry.key.clone()));
        seed.deserialize(&entry.value).map_err(under)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A variant and what it holds.
struct Chosen<'de> {
    name: &'de str,
    content: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Chosen<'de> {
    type Error = Failure;
    type Variant = Content<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'de>), Failure> {
        let variant = seed.deserialize(BorrowedStrDeserializer::<Failure>::new(self.name))?;
        Ok((variant, Content { name: self.name, content: self.content }))
    }
}

struct Content<'de> {
    name: &'de str,
    content: Option<&'de Node>,
}

impl<'de> Content<'de> {
    fn some(&self) -> Result<&'de Node, Failure> {
        self.content.ok_or_else(|| Failure::custom(format_args!("{} needs a value", self.name)))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.content {
            Some(node) if !node.is_null() => Err(Failure::custom(format_args!("{} takes no value", self.name))),
            Some(_) | None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        let content = self.some()?;
        seed.deserialize(content).map_err(|failure| failure.under(Segment::Key(self.name.into())))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        let content = self.some()?;
        content.deserialize_any(visitor).map_err(|failure| failure.under(Segment::Key(self.name.into())))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        let content = self.some()?;
        content.deserialize_any(visitor).map_err(|failure| failure.under(Segment::Key(self.name.into())))
    }
}

#[cfg(test)]
mod tests;
