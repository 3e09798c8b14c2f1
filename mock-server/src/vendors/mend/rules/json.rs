//! JSON as the vendor's examples write it: with comments, and commas where nothing follows.

/// Takes comments (`// …` to the end of a line) and commas before a closing bracket out of a text, but not out of
/// its strings.
pub fn without_comments_and_commas(text: &str) -> String {
    let without_comments = without_comments(text);
    let mut clean = String::with_capacity(without_comments.len());
    let mut in_string = InString::default();
    for (place, character) in without_comments.char_indices() {
        let inside = in_string.step(character);
        let rest = &without_comments[place + character.len_utf8()..];
        if !inside && character == ',' && rest.trim_start().starts_with(['}', ']']) {
            continue;
        }
        clean.push(character);
    }
    clean
}

fn without_comments(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut in_string = InString::default();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let inside = in_string.step(character);
        if !inside && character == '/' && characters.peek() == Some(&'/') {
            for skipped in characters.by_ref() {
                if skipped == '\n' {
                    clean.push('\n');
                    break;
                }
            }
            continue;
        }
        clean.push(character);
    }
    clean
}

/// Follows a text and knows whether it is within a string.
#[derive(Default)]
struct InString {
    inside: bool,
    escaped: bool,
}

impl InString {
    /// Takes the next character and says whether it belongs to a string.
    fn step(&mut self, character: char) -> bool {
        let inside = self.inside;
        match character {
            _ if self.escaped => self.escaped = false,
            '\\' if self.inside => self.escaped = true,
            '"' => self.inside = !self.inside,
            _ => {}
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::without_comments_and_commas;

    #[test]
    fn comments_and_commas_go_and_strings_stay() {
        let text = "{\"a\": 1, // one\n \"b\": [\"// no, ]\", 2, ], \"c\\\"//\": \",}\",\n}";
        assert_eq!(
            without_comments_and_commas(text),
            "{\"a\": 1, \n \"b\": [\"// no, ]\", 2 ], \"c\\\"//\": \",}\"\n}"
        );
    }
}
