//! The language of `${...}`, exactly as Flux reads it (`fluxcd/pkg/envsubst`, a fork of drone/envsubst).
//!
//! It looks like bash and isn't: `${x-default}` is an error, `:+` and `:?` give a default like `:-`, `$x` without braces
//! is no variable, and `$$` is a dollar. Absent: what the variables are.

mod functions;

use ecow::EcoString;
use thiserror::Error;

/// How deep defaults may be nested.
const DEEPEST: usize = 16;

/// What a variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::flux) enum Lookup {
    /// It has this value.
    Known(EcoString),
    /// It may have a value, but nobody here can know it.
    Unknown,
    /// It has none.
    Undefined,
}

/// A text after substitution.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::flux) struct Evaluated {
    /// What it became. Where a value can't be known, the expression stands as it was.
    pub(in crate::flux) text: EcoString,
    /// Variables that have neither a value nor a default.
    pub(in crate::flux) undefined: Vec<EcoString>,
    /// Whether a value was needed that can't be known.
    pub(in crate::flux) unknown: bool,
}

/// Why an expression can't be substituted: in strict mode and without, Flux gives up the whole Kustomization.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::flux) enum ExpressionError {
    /// `${` without a name.
    #[error("`{0}` has no name of a variable after `${{`; write `$${{` for a dollar and a brace that should stay")]
    NoName(String),
    /// No `}` where one has to be.
    #[error(
        "`{0}` isn't closed with `}}` where Flux expects it; it knows no such operator, or write `$${{` to keep it"
    )]
    NotClosed(String),
    /// A function without its argument, or nested too deeply.
    #[error("`{0}` is no substitution that Flux knows; write `$${{` to keep it as it is")]
    Bad(String),
}

impl ExpressionError {
    /// The expression, as far as it is shown.
    pub(in crate::flux) fn excerpt(&self) -> &str {
        match self {
            Self::NoName(excerpt) | Self::NotClosed(excerpt) | Self::Bad(excerpt) => excerpt,
        }
    }
}

/// Substitutes in a text.
pub(in crate::flux) fn evaluate(text: &str, lookup: &dyn Fn(&str) -> Lookup) -> Result<Evaluated, ExpressionError> {
    let mut reader = Reader { rest: text, lookup, evaluated: Evaluated::default() };
    let mut out = EcoString::new();
    while let Some(at) = reader.rest.find('$') {
        out.push_str(&reader.rest[..at]);
        reader.rest = &reader.rest[at..];
        if reader.rest.starts_with("${") {
            out.push_str(&reader.expression(0)?);
        } else {
            // Of two dollars the first keeps the second from being read.
            reader.rest = reader.rest.strip_prefix("$$").unwrap_or(&reader.rest[1..]);
            out.push('$');
        }
    }
    out.push_str(reader.rest);
    Ok(Evaluated { text: out, ..reader.evaluated })
}

struct Reader<'a> {
    rest: &'a str,
    lookup: &'a dyn Fn(&str) -> Lookup,
    evaluated: Evaluated,
}

/// The operators in the order in which they have to be tried, and what their argument is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    None,
    Default,
    Pattern,
    Replacement,
    Range,
}

const OPERATORS: [(&str, Argument); 18] = [
    (":=", Argument::Default),
    (":-", Argument::Default),
    (":?", Argument::Default),
    (":+", Argument::Default),
    ("=", Argument::Default),
    (":", Argument::Range),
    ("^^", Argument::None),
    ("^", Argument::None),
    (",,", Argument::None),
    (",", Argument::None),
    ("//", Argument::Replacement),
    ("/#", Argument::Replacement),
    ("/%", Argument::Replacement),
    ("/", Argument::Replacement),
    ("##", Argument::Pattern),
    ("#", Argument::Pattern),
    ("%%", Argument::Pattern),
    ("%", Argument::Pattern),
];

impl<'a> Reader<'a> {
    /// Reads an expression that begins here, and gives what it stands for.
    fn expression(&mut self, depth: usize) -> Result<EcoString, ExpressionError> {
        let begin = self.rest;
        if DEEPEST < depth {
            return Err(ExpressionError::Bad(excerpt(begin)));
        }
        self.rest = &self.rest[2..];
        if let Some(rest) = self.rest.strip_prefix('#') {
            self.rest = rest;
            let name = self.name(begin)?;
            self.close(begin)?;
            return Ok(self.value(name, begin, functions::length));
        }
        let name = self.name(begin)?;
        if let Some(rest) = self.rest.strip_prefix('}') {
            self.rest = rest;
            return Ok(self.value(name, begin, |value| value.into()));
        }
        let found = OPERATORS.iter().find(|(operator, _)| self.rest.starts_with(operator));
        let Some((operator, argument)) = found else { return Err(ExpressionError::NotClosed(excerpt(begin))) };
        self.rest = &self.rest[operator.len()..];
        self.apply(name, operator, *argument, begin, depth)
    }

    fn apply(
        &mut self,
        name: &'a str,
        operator: &str,
        argument: Argument,
        begin: &'a str,
        depth: usize,
    ) -> Result<EcoString, ExpressionError> {
        match argument {
            Argument::None => {
                self.close(begin)?;
                Ok(self.value(name, begin, |value| functions::change_case(value, operator)))
            }
            Argument::Default => self.default(name, begin, depth),
            Argument::Pattern => {
                let pattern = self.argument(&['}'], begin, depth)?;
                self.close(begin)?;
                Ok(self.value(name, begin, |value| functions::trim(value, operator, &pattern)))
            }
            Argument::Replacement => {
                let pattern = self.escaped('/', begin, depth)?;
                let slashes = self.rest.len() - self.rest.trim_start_matches('/').len();
                if slashes == 0 {
                    return Err(ExpressionError::Bad(excerpt(begin)));
                }
                self.rest = &self.rest[slashes..];
                let with = if self.rest.starts_with('}') { None } else { Some(self.escaped('}', begin, depth)?) };
                self.close(begin)?;
                Ok(self.value(name, begin, |value| functions::replace(value, operator, &pattern, with.as_deref())))
            }
            Argument::Range => {
                let from = self.argument(&[':', '}'], begin, depth)?;
                let colons = self.rest.len() - self.rest.trim_start_matches(':').len();
                self.rest = &self.rest[colons..];
                let many = if colons == 0 { None } else { Some(self.argument(&['}'], begin, depth)?) };
                self.close(begin)?;
                Ok(self.value(name, begin, |value| functions::part(value, &from, many.as_deref())))
            }
        }
    }

    fn default(&mut self, name: &'a str, begin: &'a str, depth: usize) -> Result<EcoString, ExpressionError> {
        let mut default = EcoString::new();
        while !self.rest.starts_with('}') {
            if self.rest.is_empty() {
                return Err(ExpressionError::Bad(excerpt(begin)));
            }
            default.push_str(&self.argument(&['}'], begin, depth)?);
        }
        self.close(begin)?;
        Ok(match (self.lookup)(name) {
            Lookup::Known(value) if !value.is_empty() => value,
            // What can't be known may be unset: the default is the better guess.
            Lookup::Known(_) | Lookup::Unknown | Lookup::Undefined => default,
        })
    }

    /// As an argument, with `\\/`, `\\\\` and `$$` for what they keep from being read.
    fn escaped(&mut self, end: char, begin: &'a str, depth: usize) -> Result<EcoString, ExpressionError> {
        if self.rest.starts_with("${") {
            return self.expression(depth + 1);
        }
        let mut text = EcoString::new();
        while let Some(sign) = self.rest.chars().next().filter(|sign| *sign != end) {
            if !text.is_empty() && self.rest.starts_with("${") {
                break;
            }
            let kept = ["$$", "\\/", "\\\\"].iter().any(|escape| self.rest.starts_with(escape));
            let skipped = usize::from(kept);
            let sign = if kept { self.rest[skipped..].chars().next().unwrap_or(sign) } else { sign };
            text.push(sign);
            self.rest = &self.rest[skipped + sign.len_utf8()..];
        }
        if text.is_empty() { Err(ExpressionError::Bad(excerpt(begin))) } else { Ok(text) }
    }

    /// A text up to one of these signs, or an expression within.
    fn argument(&mut self, ends: &[char], begin: &'a str, depth: usize) -> Result<EcoString, ExpressionError> {
        if self.rest.starts_with("${") {
            return self.expression(depth + 1);
        }
        let nested = self.rest.find("${").unwrap_or(self.rest.len());
        let end = self.rest.find(|sign| ends.contains(&sign)).unwrap_or(self.rest.len()).min(nested);
        if end == 0 {
            return Err(ExpressionError::Bad(excerpt(begin)));
        }
        let text = &self.rest[..end];
        self.rest = &self.rest[end..];
        Ok(text.into())
    }

    fn name(&mut self, begin: &str) -> Result<&'a str, ExpressionError> {
        let end = self.rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err(ExpressionError::NoName(excerpt(begin))) } else { Ok(name) }
    }

    fn close(&mut self, begin: &str) -> Result<(), ExpressionError> {
        self.rest = self.rest.strip_prefix('}').ok_or_else(|| ExpressionError::NotClosed(excerpt(begin)))?;
        Ok(())
    }

    /// The value of a variable through a function; the expression itself where it can't be known.
    fn value(&mut self, name: &str, begin: &str, function: impl Fn(&str) -> EcoString) -> EcoString {
        match (self.lookup)(name) {
            Lookup::Known(value) => function(&value),
            Lookup::Unknown => {
                self.evaluated.unknown = true;
                begin[..begin.len() - self.rest.len()].into()
            }
            Lookup::Undefined => {
                self.evaluated.undefined.push(name.into());
                function("")
            }
        }
    }
}

/// Enough of an expression to find it.
fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.find('}').map_or(line.len(), |at| at + 1);
    let shown: String = line[..end].chars().take(40).collect();
    shown
}

#[cfg(test)]
mod tests;
