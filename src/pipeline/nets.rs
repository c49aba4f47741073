//! Networks, by the name of a table or of a built-in one.

use super::{diagnostic::Span, hyper::RawNet, names::suggestion, resolve::Resolver, value::Name};
use crate::{
    architecture::{Architecture, LayerError, WrittenLayer},
    dataset::Data,
};

impl Resolver<'_> {
    /// Layers of the built-in network called `name`; `own` nets are what else it could have meant.
    fn builtin(&mut self, name: &Name, classes: Option<usize>, own: bool) -> Option<Vec<String>> {
        // The class count matters to the layers only, not to which names there are.
        let found = (self.catalogue.net)(&name.text, classes.unwrap_or(10));
        if found.is_none() {
            let names = self.raw.nets.iter().filter(|_| own).map(|(name, _)| &*name.text);
            let help =
                suggestion(&name.text, names.chain(self.catalogue.net_names.iter().copied()));
            self.errors.push_help(&name.span, format!("no net is named `{}`", name.text), help);
        }
        found
    }

    /// The layers of a built-in network.
    fn read(&mut self, layers: &[String], span: &Span) -> Option<Vec<WrittenLayer>> {
        let kinds = &self.catalogue.kinds.layers;
        let read: Result<_, _> =
            layers.iter().map(|text| WrittenLayer::read(text, kinds)).collect();
        read.map_err(|error: LayerError| self.errors.push(span, error.to_string())).ok()
    }

    pub fn net(&mut self, name: &Name, data: Option<&Data>) -> Option<Architecture> {
        let classes = data.map(|data| data.info.classes);
        let own = self.raw.nets.iter().find(|(known, _)| known.text == name.text);
        let (layers, span) = match own.map(|(_, found)| found) {
            Some(None) => return None,
            Some(Some(RawNet::Layers(layers, span))) => (layers.clone(), span.clone()),
            Some(Some(RawNet::Like { name, shortcut })) => {
                let mut layers = self.builtin(name, classes, false)?;
                for layer in &mut layers {
                    if let (Some(rest), Some(kind)) = (layer.strip_prefix("basic"), shortcut) {
                        *layer = format!("{kind}{rest}");
                    }
                }
                (self.read(&layers, &name.span)?, name.span.clone())
            }
            None => {
                let layers = self.builtin(name, classes, true)?;
                (self.read(&layers, &name.span)?, name.span.clone())
            }
        };
        let data = data?;
        match Architecture::new(layers, data.info.shape, data.info.classes) {
            Ok(net) => Some(net),
            Err(error) => {
                self.errors.push(
                    &span,
                    format!("`{}` does not fit {} images: {error}", name.text, data.info.shape),
                );
                None
            }
        }
    }
}
