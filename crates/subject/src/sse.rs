//! Server-sent events, split byte for byte wherever the network cut them (WHATWG HTML, section 9.2.6).

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `event:` field, if there was one.
    pub(crate) name: Option<String>,
    /// The `data:` lines, joined with line feeds; bytes that are no UTF-8 are replaced.
    pub(crate) data: String,
}

/// Takes a stream in pieces of any size and gives events.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    line: Vec<u8>,
    after_carriage_return: bool,
    past_first_line: bool,
    name: Option<String>,
    data: Option<Vec<u8>>,
}

impl Splitter {
    /// Takes the next piece; finished events are appended to `events`.
    pub(crate) fn push(&mut self, piece: &[u8], events: &mut Vec<Event>) {
        let mut rest = piece;
        if self.after_carriage_return && !rest.is_empty() {
            self.after_carriage_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
            let (head, tail) = rest.split_at(at);
            self.line.extend_from_slice(head);
            self.end_line(events);
            rest = match tail {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => tail,
            };
            // A line feed that belongs to this carriage return may come with the next piece.
            self.after_carriage_return = tail == b"\r";
        }
        self.line.extend_from_slice(rest);
    }

    /// Ends the stream. The standard drops an event without its closing blank line; here it is given, since it was paid for.
    pub(crate) fn finish(mut self, events: &mut Vec<Event>) {
        self.end_line(events);
        self.dispatch(events);
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.past_first_line, true);
        let text = if first { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line) } else { &line };
        if text.is_empty() {
            self.dispatch(events);
            return;
        }
        let (field, value) = match memchr::memchr(b':', text).map(|at| text.split_at(at)) {
            Some((field, [_colon, b' ', value @ ..] | [_colon, value @ ..])) => (field, value),
            _ => (text, &[][..]),
        };
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.name = Some(String::from_utf8_lossy(value).into_owned()),
            // Comments have an empty field name; `id` and `retry` are for reconnecting, which never happens here.
            _ => {}
        }
    }

    fn dispatch(&mut self, events: &mut Vec<Event>) {
        let name = self.name.take();
        if let Some(data) = self.data.take() {
            let data = String::from_utf8(data).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            events.push(Event { name, data });
        }
    }
}

/// Splits a whole stream.
pub(crate) fn split(body: &[u8]) -> Vec<Event> {
    let mut splitter = Splitter::default();
    let mut events = Vec::new();
    splitter.push(body, &mut events);
    splitter.finish(&mut events);
    events
}

/// Whether a body looks like an event stream, whatever its content type says.
pub(crate) fn is_stream(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    [&b"data:"[..], b"event:", b":", b"id:", b"retry:"].iter().any(|field| body.starts_with(field))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Event, Splitter, is_stream, split};

    fn event(name: Option<&str>, data: &str) -> Event {
        Event { name: name.map(str::to_owned), data: data.to_owned() }
    }

    #[test]
    fn reads_fields_comments_and_line_ends_as_the_standard_says() {
        let stream = b"\xEF\xBB\xBF: hello\nevent: a\ndata: one\ndata:two\n\ndata\n\nid: 7\nretry: 1\nnonsense\n\r\ndata:  x: y\r\rdata: last";
        assert_eq!(split(stream), [event(Some("a"), "one\ntwo"), event(None, ""), event(None, " x: y"), event(None, "last")]);
    }

    #[test]
    fn an_event_name_without_data_is_dropped() {
        assert_eq!(split(b"event: ping\n\ndata: x\n\n"), [event(None, "x")]);
    }

    #[test]
    fn tells_streams_from_documents() {
        assert!(is_stream(b": OPENROUTER PROCESSING\n\n") && is_stream(b"\r\ndata: {}") && is_stream(b"event: message_start"));
        assert!(!is_stream(b"{\"data:\":1}") && !is_stream(b"<html>") && !is_stream(b""));
    }

    proptest! {
        #[test]
        fn cuts_never_change_what_is_read(
            lines in prop::collection::vec(("(data|event|id|:|)", "[ -~é\u{4e2d}:]{0,9}", "(\n|\r|\r\n)"), 0..24),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut bytes = Vec::new();
            for (field, value, end) in &lines {
                bytes.extend_from_slice(format!("{field}:{value}{end}").as_bytes());
            }
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.sort_unstable();
            let (mut splitter, mut events, mut from) = (Splitter::default(), Vec::new(), 0);
            for place in places {
                splitter.push(&bytes[from..place], &mut events);
                from = place;
            }
            splitter.push(&bytes[from..], &mut events);
            splitter.finish(&mut events);
            prop_assert_eq!(events, split(&bytes));
        }

        #[test]
        fn what_was_written_is_read_back(texts in prop::collection::vec("[ -~é\u{4e2d}\n]{0,20}", 1..8)) {
            let mut bytes = Vec::new();
            for text in &texts {
                for line in text.split('\n') {
                    bytes.extend_from_slice(format!("data: {line}\r\n").as_bytes());
                }
                bytes.extend_from_slice(b"\r\n");
            }
            let read: Vec<String> = split(&bytes).into_iter().map(|event| event.data).collect();
            prop_assert_eq!(read, texts);
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = split(&bytes);
        }
    }
}
