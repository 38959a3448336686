//! The text of an answer as its tokens arrive: bytes put together to characters, stop strings found across tokens.

/// An answer in the making.
pub(crate) struct Transcript<'a> {
    stops: &'a [String],
    /// Bytes of a character whose rest is still to come.
    pending: Vec<u8>,
    text: String,
    /// How much of `text` was handed out; what follows may yet turn out to be a stop string.
    released: usize,
    stopped: bool,
}

impl<'a> Transcript<'a> {
    /// An empty answer that ends before the first of `stops`.
    pub(crate) fn new(stops: &'a [String]) -> Self {
        Self { stops, pending: Vec::new(), text: String::new(), released: 0, stopped: false }
    }

    /// Takes the bytes of a token and returns the text that is now sure to be part of the answer.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> &str {
        if self.stopped {
            return "";
        }
        self.pending.extend_from_slice(bytes);
        self.decode(false);
        self.find_stop();
        let keep = if self.stopped { 0 } else { self.undecided() };
        self.release(keep)
    }

    /// Whether a stop string was met.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Ends the answer and returns what had been held back.
    pub(crate) fn finish(&mut self) -> &str {
        if !self.stopped {
            self.decode(true);
            self.find_stop();
        }
        self.release(0)
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn decode(&mut self, last: bool) {
        let mut rest: &[u8] = &self.pending;
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    self.text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    match error.error_len() {
                        Some(length) => {
                            self.text.push(char::REPLACEMENT_CHARACTER);
                            rest = rest.get(length..).unwrap_or(&[]);
                        }
                        None if last => {
                            self.text.push(char::REPLACEMENT_CHARACTER);
                            rest = &[];
                            break;
                        }
                        None => break,
                    }
                }
            }
        }
        self.pending = rest.to_vec();
    }

    fn find_stop(&mut self) {
        let fresh = self.text.get(self.released..).unwrap_or("");
        let found = self.stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| fresh.find(stop.as_str())).min();
        if let Some(at) = found {
            self.text.truncate(self.released + at);
            self.pending.clear();
            self.stopped = true;
        }
    }

    /// Length of the longest end of the text that may be the beginning of a stop string.
    fn undecided(&self) -> usize {
        let fresh = self.text.get(self.released..).unwrap_or("");
        let beginnings = self.stops.iter().flat_map(|stop| (1..stop.len()).filter_map(|length| stop.get(..length)));
        beginnings.filter(|beginning| fresh.ends_with(beginning)).map(str::len).max().unwrap_or(0)
    }

    fn release(&mut self, keep: usize) -> &str {
        let from = self.released;
        self.released = self.text.len().saturating_sub(keep).max(from);
        self.text.get(from..self.released).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stops: &[&str], tokens: &[&[u8]]) -> (Vec<String>, String, bool) {
        let stops: Vec<String> = stops.iter().map(|&stop| stop.to_owned()).collect();
        let mut transcript = Transcript::new(&stops);
        let mut pieces: Vec<String> = tokens.iter().map(|token| transcript.push(token).to_owned()).collect();
        pieces.push(transcript.finish().to_owned());
        let stopped = transcript.stopped();
        let text = transcript.into_text();
        assert_eq!(pieces.concat(), text, "the pieces are the text");
        (pieces, text, stopped)
    }

    #[test]
    fn a_character_split_over_tokens_appears_when_it_is_whole() {
        let (pieces, text, _) = run(&[], &[b"a\xe2", b"\x82", b"\xacb"]);
        assert_eq!(pieces, ["a", "", "€b", ""]);
        assert_eq!(text, "a€b");
    }

    #[test]
    fn bytes_that_are_no_text_become_the_replacement_character() {
        assert_eq!(run(&[], &[b"a\xff\xffb", b"\xe2\x82"]).1, "a\u{fffd}\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_stop_string_across_tokens_is_never_handed_out() {
        let (pieces, text, stopped) = run(&["\n\nUser:"], &[b"yes\n", b"\nUs", b"er: more", b"x"]);
        assert_eq!(pieces, ["yes", "", "", "", ""]);
        assert_eq!((text.as_str(), stopped), ("yes", true));
    }

    #[test]
    fn what_only_looked_like_a_stop_string_comes_later() {
        let (pieces, text, stopped) = run(&["END"], &[b"a E", b"N", b"OUGH", b" EN"]);
        assert_eq!(pieces, ["a ", "", "ENOUGH", " ", "EN"]);
        assert_eq!((text.as_str(), stopped), ("a ENOUGH EN", false));
    }

    #[test]
    fn the_earliest_of_several_stop_strings_counts() {
        assert_eq!(run(&["d", "bc", ""], &[b"abcd"]).1, "a");
    }
}
