//! ResourceSets of flux-operator, as far as files tell: inputs that are written down, and `<< inputs.x >>`.
//!
//! Absent: inputs from providers, conditions and loops. A template that needs them is told and left out, the others are
//! still expanded.

use ecow::EcoString;
use holdfast_model::repository::problems::ProblemKind;

use crate::checkout::embedded;
use crate::node::Entry;
use crate::raw::unpacked;
use crate::trouble::Trouble;
use crate::{Mapping, Node, Object, Origin, Value, yaml};

/// More than anybody writes down by hand.
const MOST_INPUTS: usize = 1_000;

/// The objects of a ResourceSet, and what had to be left out.
pub(super) fn expand(set: &Object) -> (Vec<Node>, Vec<Trouble>) {
    let spec = set.root.get("spec");
    let field = |name: &str| spec.and_then(|spec| spec.get(name));
    let mut out = Expansion { set, objects: Vec::new(), troubles: Vec::new() };
    if field("inputsFrom").is_some_and(|from| !from.items().is_empty()) {
        out.leave_out(
            "its inputs come from a provider, which only the cluster asks; what is made from them isn't read",
        );
    }
    let inputs = field("inputs").map(Node::items).unwrap_or_default();
    if inputs.is_empty() && field("inputsFrom").is_some() {
        return out.finish();
    }
    let none = [Node::made(Value::Null)];
    let inputs = if inputs.is_empty() { &none[..] } else { &inputs[..inputs.len().min(MOST_INPUTS)] };
    for input in inputs {
        for template in field("resources").map(Node::items).unwrap_or_default() {
            out.resource(template, input);
        }
        if let Some(text) = field("resourcesTemplate") {
            out.text(text, input);
        }
    }
    out.finish()
}

struct Expansion<'a> {
    set: &'a Object,
    objects: Vec<Node>,
    troubles: Vec<Trouble>,
}

impl Expansion<'_> {
    fn resource(&mut self, template: &Node, input: &Node) {
        match filled(template, input) {
            Ok(object) => self.objects.push(object),
            Err(unknown) => self.leave_out_template(&unknown),
        }
    }

    fn text(&mut self, template: &Node, input: &Node) {
        let Some(text) = template.as_str() else { return };
        match render(text, input) {
            Ok(text) => match embedded(&Node::new(Value::String(text), template.origin)) {
                Ok(documents) => self.objects.extend(documents.iter().flat_map(unpacked).cloned()),
                Err(error) => {
                    self.leave_out(&format!("its template is no YAML after its inputs were put in: {}", error.message))
                }
            },
            Err(unknown) => self.leave_out_template(&unknown),
        }
    }

    fn leave_out_template(&mut self, unknown: &str) {
        self.leave_out(&format!("`<<{unknown}>>` is only known in the cluster, and what it makes isn't read"));
    }

    fn leave_out(&mut self, message: &str) {
        let known = self.troubles.iter().any(|trouble| trouble.message == message);
        if !known {
            let trouble = Trouble::of_object(ProblemKind::Unsupported, "ResourceSet", self.set, message.to_owned());
            self.troubles.push(trouble);
        }
    }

    fn finish(self) -> (Vec<Node>, Vec<Trouble>) {
        (self.objects, self.troubles)
    }
}

/// The value with its inputs put in; an error names what can't be.
fn filled(node: &Node, input: &Node) -> Result<Node, String> {
    let value = match &node.value {
        Value::String(text) if text.contains("<<") => scalar(text, input, node.origin)?,
        Value::Sequence(items) => Value::Sequence(items.iter().map(|it| filled(it, input)).collect::<Result<_, _>>()?),
        Value::Mapping(mapping) => Value::Mapping(filled_entries(mapping, input)?),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => node.value.clone(),
    };
    Ok(Node::new(value, node.origin))
}

fn filled_entries(mapping: &Mapping, input: &Node) -> Result<Mapping, String> {
    let entries = mapping.iter().map(|entry| {
        let key = if entry.key.contains("<<") { render(&entry.key, input)? } else { entry.key.clone() };
        Ok(Entry { key, at: entry.at, value: filled(&entry.value, input)? })
    });
    entries.collect()
}

/// A template is filled as text, so that a number stays one, unless it was quoted.
fn scalar(text: &str, input: &Node, at: Origin) -> Result<Value, String> {
    let rendered = render(text, input)?;
    if rendered.contains('\n') {
        return Ok(Value::String(rendered));
    }
    match embedded(&Node::new(Value::String(rendered.clone()), at)).ok().as_deref() {
        Some([document]) => Ok(document.value.clone()),
        Some(_) | None => Ok(yaml::resolve(&rendered)),
    }
}

fn render(text: &str, input: &Node) -> Result<EcoString, String> {
    let mut out = EcoString::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<<") {
        let Some((action, after)) = after.split_once(">>") else { return Err(after.to_owned()) };
        let trims_before = action.starts_with('-');
        out.push_str(if trims_before { before.trim_end() } else { before });
        out.push_str(&evaluate(action.trim_matches('-').trim(), input).ok_or_else(|| action.to_owned())?);
        rest = if action.ends_with('-') { after.trim_start() } else { after };
    }
    out.push_str(rest);
    Ok(out)
}

/// `inputs.a.b | function | ...`
fn evaluate(action: &str, input: &Node) -> Option<EcoString> {
    let mut stages = action.split('|').map(str::trim);
    let path = stages.next()?.strip_prefix("inputs.")?;
    let keys: Vec<&str> = path.split('.').collect();
    let value = input.at(&keys)?;
    let mut text = value.as_str().map(EcoString::from).or_else(|| other_scalar(value))?;
    for stage in stages {
        text = match stage {
            "quote" => ecow::eco_format!("{text:?}"),
            "squote" => ecow::eco_format!("'{text}'"),
            "lower" => text.to_lowercase(),
            "upper" => text.to_uppercase(),
            "trim" => text.trim().into(),
            "toString" | "string" => text,
            _ => return None,
        };
    }
    Some(text)
}

fn other_scalar(value: &Node) -> Option<EcoString> {
    let number = value.as_integer().map(|number| ecow::eco_format!("{number}"));
    number.or_else(|| value.as_bool().map(|truth| ecow::eco_format!("{truth}")))
}

#[cfg(test)]
mod tests;
