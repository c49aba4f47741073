//! Errors in a pipeline file, with the line, a caret and help.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::{fmt, ops::Range};

/// A stretch of one source text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index into [`Sources`].
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    pub(super) fn new(source: usize, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end }
    }
}

/// The texts that a pipeline is read from: the file, then each `--set`.
#[derive(Clone, Debug)]
pub struct Sources(pub Vec<(String, String)>);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Everything that is wrong with a pipeline, in the order of the text.
#[derive(Debug)]
pub struct Diagnostics {
    sources: Sources,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, list: Vec::new() }
    }

    /// Without a text: what is read with it has been read before, or is tried.
    pub(super) fn none() -> Self {
        Self::new(Sources(Vec::new()))
    }

    /// Takes over what another list holds.
    pub(super) fn append(&mut self, other: Self) {
        self.list.extend(other.list);
    }

    pub(super) fn push(&mut self, span: &Span, message: impl Into<String>) {
        self.list.push(Diagnostic { span: span.clone(), message: message.into(), help: None });
    }

    pub(super) fn push_help(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, help) = (message.into(), Some(help.into()));
        self.list.push(Diagnostic { span: span.clone(), message, help });
    }

    /// What is wrong, each thing once.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// `Ok(value)` if nothing is wrong.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Self> {
        self.list.sort();
        self.list.dedup();
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            _ => Err(self),
        }
    }

    /// The errors as text with carets; coloured for a terminal if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for diagnostic in &self.list {
            let (path, source) = &self.sources.0[diagnostic.span.source];
            let range = clamp(source, &diagnostic.span);
            let snippet = Snippet::source(source.as_str())
                .path(path.as_str())
                .annotation(AnnotationKind::Primary.span(range));
            let mut group =
                Level::ERROR.primary_title(diagnostic.message.as_str()).element(snippet);
            if let Some(help) = &diagnostic.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            text += &renderer.render(&[group]);
            text += "\n\n";
        }
        let count = self.list.len();
        text + &format!(
            "{count} error{} in {}",
            if count == 1 { "" } else { "s" },
            self.sources.0[0].0
        )
    }
}

/// A range that starts and ends on characters of `source`.
fn clamp(source: &str, span: &Span) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    let end = source.ceil_char_boundary(span.end);
    start..end.max(start)
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
