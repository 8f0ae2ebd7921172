//! A place in the template: a value without intrinsic functions at its top, that knows where it
//! stands, so that every complaint names resource and property.

use std::str::FromStr;

use serde_yaml_ng::Value;

use super::{Template, TemplateError, parameters::scalar};

/// One value of the template and its place.
pub(super) struct Node<'t> {
    template: &'t Template,
    at: String,
    value: Value,
}

impl<'t> Node<'t> {
    /// Evaluates `value`, which stands at `at`.
    pub(super) fn new(
        template: &'t Template,
        at: String,
        value: &Value,
    ) -> Result<Self, TemplateError> {
        match template.evaluate(value) {
            Ok(value) => Ok(Self { template, at, value }),
            Err(problem) => Err(TemplateError::Invalid { at, problem }),
        }
    }

    /// The child of that name; a child that is absent, null or `AWS::NoValue` is `None`.
    pub(super) fn get(&self, key: &str) -> Result<Option<Node<'t>>, TemplateError> {
        match self.value.get(key) {
            None => Ok(None),
            Some(value) => {
                let child = Node::new(self.template, format!("{}.{key}", self.at), value)?;
                Ok((!child.value.is_null()).then_some(child))
            }
        }
    }

    /// The child of that name, which has to be there.
    pub(super) fn require(&self, key: &str) -> Result<Node<'t>, TemplateError> {
        self.get(key)?.ok_or_else(|| self.error(format!("{key} is missing")))
    }

    /// The text of the child of that name, if there is one.
    pub(super) fn text_of(&self, key: &str) -> Result<Option<String>, TemplateError> {
        self.get(key)?.map(|child| child.text()).transpose()
    }

    /// The number in the child of that name, if there is one.
    pub(super) fn number_of<N: FromStr>(&self, key: &str) -> Result<Option<N>, TemplateError> {
        self.get(key)?.map(|child| child.number()).transpose()
    }

    /// This value as text.
    pub(super) fn text(&self) -> Result<String, TemplateError> {
        scalar(&self.value).ok_or_else(|| self.error("a text is needed here"))
    }

    /// This value as a whole number of the type the caller has room for.
    pub(super) fn number<N: FromStr>(&self) -> Result<N, TemplateError> {
        let text = self.text()?;
        text.parse().map_err(|_| self.error(format!("{text:?} is not a fitting whole number")))
    }

    /// The children of the mapping of that name, in order; none if there is no such mapping.
    pub(super) fn entries_of(&self, key: &str) -> Result<Vec<(String, Node<'t>)>, TemplateError> {
        self.get(key)?.map_or(Ok(Vec::new()), |child| child.entries())
    }

    /// The texts of the list of that name; none if there is no such list.
    pub(super) fn texts_of(&self, key: &str) -> Result<Vec<String>, TemplateError> {
        self.get(key)?.map_or(Ok(Vec::new()), |child| child.texts())
    }

    /// The children of this mapping, in order.
    fn entries(&self) -> Result<Vec<(String, Node<'t>)>, TemplateError> {
        let mapping =
            self.value.as_mapping().ok_or_else(|| self.error("a mapping is needed here"))?;
        let mut entries = Vec::new();
        for key in mapping.keys() {
            let key = scalar(key).ok_or_else(|| self.error("every key has to be a text"))?;
            if let Some(child) = self.get(&key)? {
                entries.push((key, child));
            }
        }
        Ok(entries)
    }

    /// The texts of this list.
    fn texts(&self) -> Result<Vec<String>, TemplateError> {
        let items = self.value.as_sequence().ok_or_else(|| self.error("a list is needed here"))?;
        items.iter().map(|item| Node::new(self.template, self.at.clone(), item)?.text()).collect()
    }

    /// Complains of the first child that is none of these: what is not understood cannot be served
    /// as it would be deployed.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), TemplateError> {
        for (key, child) in self.entries()? {
            if !known.contains(&key.as_str()) {
                return Err(child.error("is not supported"));
            }
        }
        Ok(())
    }

    /// What this is a part of.
    pub(super) fn template(&self) -> &'t Template {
        self.template
    }

    /// Where this is: resource and property.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// A complaint about this place.
    pub(super) fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Invalid { at: self.at.clone(), problem: problem.into() }
    }
}
