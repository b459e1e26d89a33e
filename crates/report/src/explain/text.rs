//! Markdown as text: headings in bold, code set off, everything wrapped. Knows what our prose uses and no more.
#![expect(clippy::wildcard_enum_match_arm, reason = "Markdown has more than our prose uses")]

use std::io::{self, Write};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::human::{Paint, Tone};

/// A writer of Markdown.
pub(super) struct Text {
    paint: Paint,
    /// The paragraph so far.
    line: String,
    /// What stands before the paragraph's first line, and before the others.
    marks: (String, String),
    link: Option<String>,
    code: bool,
}

impl Text {
    pub(super) fn new(paint: Paint) -> Self {
        Self { paint, line: String::new(), marks: Default::default(), link: None, code: false }
    }

    pub(super) fn write(mut self, markdown: &str, out: &mut dyn Write) -> io::Result<()> {
        for event in Parser::new(markdown) {
            match event {
                Event::Start(tag) => self.start(tag, out)?,
                Event::End(tag) => self.end(tag, out)?,
                Event::Text(text) if self.code => self.write_code(&text, out)?,
                Event::Text(text) => self.line.push_str(&text),
                Event::Code(text) => {
                    let code = self.paint.tone(Tone::Info, &text);
                    // Without colours the marks have to stay.
                    let code = if self.paint.has_colour() { code } else { format!("`{text}`") };
                    self.line.push_str(&code);
                }
                Event::SoftBreak | Event::HardBreak => self.line.push(' '),
                _ => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>, out: &mut dyn Write) -> io::Result<()> {
        match tag {
            Tag::Item => {
                self.flush(out)?;
                self.marks = ("• ".to_owned(), "  ".to_owned());
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => self.code = true,
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.into_string()),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd, out: &mut dyn Write) -> io::Result<()> {
        match tag {
            TagEnd::Heading(_) => {
                let title = std::mem::take(&mut self.line);
                writeln!(out, "{}\n", self.paint.tone(Tone::Strong, &title))
            }
            TagEnd::Paragraph => {
                self.flush(out)?;
                writeln!(out)
            }
            TagEnd::Item => self.flush(out),
            TagEnd::List(_) => writeln!(out),
            TagEnd::CodeBlock => {
                self.code = false;
                writeln!(out)
            }
            TagEnd::Link => {
                let link = self.link.take().filter(|link| !self.line.ends_with(link.as_str()));
                if let Some(link) = link {
                    self.line.push_str(&format!(" ({link})"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let (first, other) = std::mem::take(&mut self.marks);
        if line.is_empty() {
            return Ok(());
        }
        self.paint.wrap(&line, &first, &other).iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    fn write_code(&self, code: &str, out: &mut dyn Write) -> io::Result<()> {
        code.lines().try_for_each(|line| match line.trim_start().starts_with('#') {
            true => writeln!(out, "    {}", self.paint.tone(Tone::Dim, line)),
            false => writeln!(out, "    {line}"),
        })
    }
}
