//! Sellers' Markdown, made safe for mails and pages, and made readable as plain text.
//!
//! Raw HTML and images are dropped, and a link stays a link only when it goes
//! to http, https or mailto: what a seller types can neither run nor load anything.

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

/// The text as HTML that can stand in a page. Headings come two levels lower,
/// below those of the page around it.
#[must_use]
pub fn to_html(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut text, safe_events(markdown));
    text
}

/// The text without markup: lists keep their markers, links show where they go.
#[must_use]
pub fn to_text(markdown: &str) -> String {
    let mut writer = TextWriter::default();
    for event in safe_events(markdown) {
        writer.take(event);
    }
    writer.finish()
}

fn safe_events(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    // For every open link, whether it was kept, so that its end goes with its beginning.
    let mut open_links = Vec::new();
    Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH).filter_map(move |event| {
        if matches!(
            event,
            Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::HtmlBlock | Tag::Image { .. })
                | Event::End(TagEnd::HtmlBlock | TagEnd::Image)
        ) {
            return None;
        }
        if let Event::Start(Tag::Link { link_type, dest_url, .. }) = &event {
            let is_kept = *link_type == LinkType::Email || is_safe_link(dest_url);
            open_links.push(is_kept);
            return is_kept.then_some(event);
        }
        if matches!(event, Event::End(TagEnd::Link)) {
            return open_links.pop().unwrap_or(false).then_some(event);
        }
        if let Event::Start(Tag::Heading { level, .. }) = event {
            return Some(Event::Start(Tag::Heading {
                level: lower(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            }));
        }
        if let Event::End(TagEnd::Heading(level)) = event {
            return Some(Event::End(TagEnd::Heading(lower(level))));
        }
        Some(event)
    })
}

fn is_safe_link(target: &str) -> bool {
    // Browsers skip control characters and spaces when they look for the scheme.
    let has_hidden = target.chars().any(|character| character.is_control() || character.is_whitespace());
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    !has_hidden && scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "mailto"))
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// Something that indents what stands in it.
enum Around {
    Quote,
    Code,
    Item {
        /// Written before the first line, spaces before the others.
        marker: String,
        is_written: bool,
    },
}

#[derive(Default)]
struct TextWriter {
    lines: Vec<String>,
    current: String,
    around: Vec<Around>,
    /// The number of the next item of every open list; `None` has bullets.
    lists: Vec<Option<u64>>,
    /// Where the label of every open link begins, and where the link goes.
    links: Vec<(usize, String)>,
    wants_gap: bool,
}

impl TextWriter {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.current.push_str(&text)
            }
            Event::SoftBreak => self.current.push(' '),
            Event::HardBreak => self.current.push('\n'),
            Event::Rule => {
                self.current.push_str("---");
                self.end_block();
            }
            Event::Html(_) | Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's tags are not ours, and most do not shape a text")]
    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) => self.around.push(Around::Quote),
            Tag::CodeBlock(_) => {
                self.end_lines();
                self.around.push(Around::Code);
            }
            Tag::List(first) => {
                self.end_lines();
                self.lists.push(first);
            }
            Tag::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{number}. ");
                        *number = number.saturating_add(1);
                        marker
                    }
                    Some(None) | None => "- ".to_owned(),
                };
                self.around.push(Around::Item { marker, is_written: false });
            }
            Tag::Link { link_type, dest_url, .. } => {
                let target = match link_type {
                    LinkType::Email => CowStr::from(format!("mailto:{dest_url}")),
                    _ => dest_url,
                };
                self.links.push((self.current.len(), target.into_string()));
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's tags are not ours, and most do not shape a text")]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) => self.end_block(),
            TagEnd::CodeBlock => {
                self.end_block();
                self.around.pop();
            }
            TagEnd::BlockQuote(_) => {
                self.around.pop();
            }
            TagEnd::Item => {
                self.end_lines();
                self.around.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.wants_gap |= self.lists.is_empty();
            }
            TagEnd::Link => {
                if let Some((from, target)) = self.links.pop() {
                    let label = self.current.get(from..).unwrap_or_default();
                    if label != target && target.strip_prefix("mailto:") != Some(label) {
                        self.current.push_str(&format!(" ({target})"));
                    }
                }
            }
            _ => {}
        }
    }

    fn end_block(&mut self) {
        self.end_lines();
        self.wants_gap = true;
    }

    fn end_lines(&mut self) {
        let text = std::mem::take(&mut self.current);
        if text.trim().is_empty() {
            return;
        }
        if std::mem::take(&mut self.wants_gap) && !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        for line in text.trim_end().lines() {
            let mut written = String::new();
            for around in &mut self.around {
                match around {
                    Around::Quote => written.push_str("> "),
                    Around::Code => written.push_str("    "),
                    Around::Item { marker, is_written: true } => written.extend(marker.chars().map(|_| ' ')),
                    Around::Item { marker, is_written } => {
                        written.push_str(marker);
                        *is_written = true;
                    }
                }
            }
            written.push_str(line);
            self.lines.push(written.trim_end().to_owned());
        }
    }

    fn finish(mut self) -> String {
        self.end_lines();
        self.lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_seller_types_cannot_run_or_load_anything() {
        #[rustfmt::skip]
        let table = [
            ("<script>alert(1)</script>",                       ""),
            ("a <b onclick=x>b</b> c",                          "<p>a b c</p>\n"),
            ("<img src=x onerror=alert(1)>",                    ""),
            ("![a picture](https://example.com/track.png)",     "<p>a picture</p>\n"),
            ("[x](javascript:alert(1))",                        "<p>x</p>\n"),
            ("[x](JaVaScRiPt&colon;alert(1))",                  "<p>x</p>\n"),
            ("[x](java&#10;script:alert(1))",                   "<p>x</p>\n"),
            ("[x](data:text/html;base64,PHNjcmlwdD4=)",         "<p>x</p>\n"),
            ("[x](/relative)",                                  "<p>x</p>\n"),
            ("[x](//evil.example)",                             "<p>x</p>\n"),
            ("<javascript:alert(1)>",                           "<p>javascript:alert(1)</p>\n"),
            ("[a \"b\"](https://e.example/?a=1&b=\"2\")",       "<p><a href=\"https://e.example/?a=1&amp;b=%222%22\">a \"b\"</a></p>\n"),
            ("[x](https://e.example \"a\\\"><script>\")",       "<p><a href=\"https://e.example\" title=\"a&quot;&gt;&lt;script&gt;\">x</a></p>\n"),
            ("<hello@example.com>",                             "<p><a href=\"mailto:hello@example.com\">hello@example.com</a></p>\n"),
            ("# Title",                                         "<h3>Title</h3>\n"),
            ("`<script>`",                                      "<p><code>&lt;script&gt;</code></p>\n"),
        ];
        for (markdown, expected) in table {
            assert_eq!(to_html(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn markdown_reads_well_as_plain_text() {
        #[rustfmt::skip]
        let table = [
            ("One *line*\nof **text**.",                       "One line of text."),
            ("a\n\nb",                                         "a\n\nb"),
            ("# Start\ntext",                                  "Start\n\ntext"),
            ("- one\n- two\n  - inner\n- three\n\nend",        "- one\n- two\n  - inner\n- three\n\nend"),
            ("3. c\n4. d",                                     "3. c\n4. d"),
            ("- first\n\n  second\n\n- other",                 "- first\n\n  second\n\n- other"),
            ("See [here](https://e.example/a).",               "See here (https://e.example/a)."),
            ("<https://e.example/a>",                          "https://e.example/a"),
            ("<hello@example.com>",                            "hello@example.com"),
            ("> wise\n> words",                                "> wise words"),
            ("```sh\nrun --key\n  deeper\n```\nafter",         "    run --key\n      deeper\n\nafter"),
            ("a  \nb",                                         "a\nb"),
            ("<script>x</script>\n\nok",                       "ok"),
        ];
        for (markdown, expected) in table {
            assert_eq!(to_text(markdown), expected, "{markdown}");
        }
    }
}
