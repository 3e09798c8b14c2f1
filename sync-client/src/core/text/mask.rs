//! Finds credentials in the texts of findings and masks them (I12).
//!
//! Vendors quote what they found: addresses with passwords, headers, configuration. Where it is not clear whether
//! something is a credential, it is masked: a finding that reads worse is better than a secret in a tracker. What needs
//! knowledge of a text's language or of entropy is left out.

/// What stands where a credential stood.
pub const MASK: &str = "[masked]";

/// From this length on, what is assigned to a name such as `key` or `token` is taken for a credential.
const LONG_TOKEN_CHARS: usize = 16;
/// Names before this many bytes are not looked at, nor are addresses longer than that: the time stays linear.
const NEARBY_BYTES: usize = 1_024;
/// The most that lies between the two lines that enclose a private key.
const PRIVATE_KEY_BYTES_MAX: usize = 16_384;

/// A text without credentials: passwords in addresses, `Authorization` headers, values of names such as `password` and
/// long ones of names such as `token`, private keys, and tokens that show by their first letters what they are. Masking
/// twice is masking once.
pub fn mask(text: &str) -> String {
    let mut text = text.to_owned();
    // What is masked can bring out something else, e.g. a sole word at the end of its line. Each round that changes
    // anything leaves less that is not a mask, so this ends.
    loop {
        let masked = pass(&text);
        if masked == text {
            return masked;
        }
        text = masked;
    }
}

/// A stretch of the text, in bytes.
type Stretch = std::ops::Range<usize>;

fn pass(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept_from = 0;
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let secret = match c {
            ':' | '=' => {
                in_address(text, at).or_else(|| in_header(text, at)).or_else(|| in_assignment(text, at))
            }
            '-' => private_key(text, at),
            c if c.is_ascii_alphanumeric() => known_token(text, at),
            _ => None,
        };
        match secret.filter(|secret| text.get(secret.clone()) != Some(MASK)) {
            Some(secret) => {
                out.push_str(text.get(kept_from..secret.start).unwrap_or_default());
                out.push_str(MASK);
                kept_from = secret.end;
                at = secret.end.max(at + c.len_utf8());
            }
            None => at += c.len_utf8(),
        }
    }
    out.push_str(text.get(kept_from..).unwrap_or_default());
    out
}

/// `scheme://user:password@host`, and `scheme://token@host` if the token is long. `at` is the colon.
fn in_address(text: &str, at: usize) -> Option<Stretch> {
    let start = at + 3;
    if text.get(at..start)? != "://" {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let address = &nearby(text.get(start..)?);
    let address = address.split(ends).next()?;
    let authority = address.split(['/', '?', '#']).next()?;
    let user_info = match authority.rfind('@') {
        Some(end) => address.get(..end)?,
        // A password with a slash in it, which no address may have and people write all the same. What is before the
        // slash must be no port.
        None => {
            let user_info = address.get(..address.rfind('@')?)?;
            let (user, rest) = user_info.split_once(':')?;
            let port = rest.split(['/', '?', '#']).next()?;
            let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
            if is_port || user.contains(['/', '?', '#', '[']) {
                return None;
            }
            user_info
        }
    };
    let end = start + user_info.len();
    match user_info.split_once(':') {
        Some((_, "")) => None,
        Some((user, _)) => Some(start + user.len() + 1..end),
        None if user_info.chars().count() >= LONG_TOKEN_CHARS => Some(start..end),
        None => None,
    }
}

/// `Authorization: …` up to the end of the line or of the quotation. `at` is the colon or equals sign.
fn in_header(text: &str, at: usize) -> Option<Stretch> {
    let (name, quote_before) = name_before(text, at)?;
    if !name.ends_with("authorization") {
        return None;
    }
    let (start, quote) = value_start(text, at)?;
    let line = text.get(start..)?.lines().next()?;
    let value = match quote.or(quote_before) {
        Some(quote) => line.split(quote).next()?,
        None => line.split('<').next()?,
    };
    let value = value.trim_end();
    let mut words = value.split_whitespace();
    let scheme = words.next()?.to_ascii_lowercase();
    let is_known = SCHEMES.contains(&scheme.as_str());
    // More words than a header has are a sentence about authorization.
    (is_known && words.next().is_some() || value.split_whitespace().take(3).count() < 3)
        .then_some(start..start + value.len())
        .filter(|_| !value.is_empty())
}

const SCHEMES: &[&str] =
    &["apikey", "aws4-hmac-sha256", "basic", "bearer", "digest", "hawk", "negotiate", "ntlm", "token"];

/// `password=…`, `"api_key": "…"`, `Secret: …` and the like. `at` is the colon or equals sign.
fn in_assignment(text: &str, at: usize) -> Option<Stretch> {
    let (name, _) = name_before(text, at)?;
    let is_always_secret = ALWAYS_SECRET.iter().any(|end| name.ends_with(end));
    if !is_always_secret && !SECRET_IF_LONG.iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let (start, quote) = value_start(text, at)?;
    let rest = text.get(start..)?;
    let value = match quote {
        Some(quote) => rest.lines().next()?.split(quote).next()?,
        None if is_always_secret => rest.split(ends_value).next()?,
        // Stops at the first character that no token has, so a text full of colons is not read over and over.
        None => {
            let end = rest.find(|c| !is_of_token(c)).unwrap_or(rest.len());
            let is_over = rest.get(end..)?.chars().next().is_none_or(ends_value);
            rest.get(..end).filter(|_| is_over)?
        }
    };
    let is_colon = text.get(at..)?.starts_with(':');
    let is_secret = if is_always_secret {
        // Behind a colon there is prose as often as a value: a value is alone on its line.
        let is_alone = || {
            let behind = rest.get(value.len()..).unwrap_or_default();
            value.len() > NEARBY_BYTES
                || behind
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .trim_matches([' ', '\t', ',', ';', '}'])
                    .is_empty()
        };
        !value.is_empty() && !SAYS_NOTHING.contains(&value) && (quote.is_some() || !is_colon || is_alone())
    } else {
        value.len() >= LONG_TOKEN_CHARS
            && value.chars().all(is_of_token)
            && (!is_colon || value.bytes().any(|byte| byte.is_ascii_digit()))
    };
    is_secret.then(|| start..start + value.len())
}

/// Ends of names, in small letters and without `_`, `-` and `.`.
const ALWAYS_SECRET: &[&str] = &["password", "passwd", "passphrase", "passcode", "pwd", "secret"];
const SECRET_IF_LONG: &[&str] = &["key", "token", "credential", "credentials", "signature", "auth"];
const SAYS_NOTHING: &[&str] = &["true", "false", "null", "none", "yes", "no", "True", "False", "None"];

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '&' | ';' | ',' | ')' | '|')
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '.' | '~' | '%')
}

/// The name before a colon or equals sign, in small letters and without punctuation, and the quotation mark right before
/// it.
fn name_before(text: &str, at: usize) -> Option<(String, Option<char>)> {
    let before = text.get(..at)?;
    let before = before.strip_suffix(':').unwrap_or(before);
    let before = before.trim_end_matches([' ', '\t']);
    let before = before.strip_suffix(['"', '\'', '`', ']']).unwrap_or(before);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name: Vec<char> = before.chars().rev().take(64).take_while(|c| is_of_name(*c)).collect();
    let start = before.len() - name.len();
    let quote = before.get(..start)?.chars().next_back().filter(|c| matches!(c, '"' | '\'' | '`'));
    let name: String =
        name.iter().rev().filter(|c| c.is_ascii_alphanumeric()).map(char::to_ascii_lowercase).collect();
    Some((name, quote)).filter(|(name, _)| !name.is_empty())
}

/// Where the value behind a colon or equals sign begins, and its quotation mark. `==` compares, so nothing is behind it.
fn value_start(text: &str, at: usize) -> Option<(usize, Option<char>)> {
    let behind = text.get(at + 1..)?;
    if behind.starts_with('=') {
        return None;
    }
    let value = behind.strip_prefix('>').unwrap_or(behind);
    // The asterisks of `**Password:** …`.
    let value = value.trim_start_matches([' ', '\t', '*']);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let start = text.len() - value.len();
    Some((if quote.is_some() { start + 1 } else { start }, quote))
}

/// `-----BEGIN … PRIVATE KEY-----` with what belongs to it. The line alone is no secret.
fn private_key(text: &str, at: usize) -> Option<Stretch> {
    let rest = text.get(at..)?.strip_prefix("-----BEGIN ")?;
    let (name, body) =
        nearby(rest).split_once("-----").map(|(name, _)| (name, rest.get(name.len() + 5..)))?;
    let body = body.filter(|_| name.ends_with("PRIVATE KEY") || name.ends_with("PRIVATE KEY BLOCK"))?;
    let start = text.len() - body.len();
    let length = match first_bytes(body, PRIVATE_KEY_BYTES_MAX).find("-----END ") {
        Some(end) => end,
        // The end is missing, so the key goes on as long as there are lines of it.
        None => {
            let is_of_key = |word: &str| {
                word.len() >= LONG_TOKEN_CHARS
                    && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
            };
            let words = body.split_inclusive(char::is_whitespace);
            words.take_while(|word| word.trim().is_empty() || is_of_key(word.trim())).map(str::len).sum()
        }
    };
    let key = body.get(..length)?;
    let (inner, lead) = (key.trim(), key.len() - key.trim_start().len());
    (!inner.is_empty()).then(|| start + lead..start + lead + inner.len())
}

/// Tokens that begin like no word does. `at` is where one may begin.
fn known_token(text: &str, at: usize) -> Option<Stretch> {
    let rest = text.get(at..)?;
    let start = TOKEN_STARTS.iter().find(|start| rest.starts_with(**start))?;
    let before = text.get(..at)?.chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
        return None;
    }
    let is_of_it = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let token = rest.split(|c| !is_of_it(c)).next()?.trim_end_matches('.');
    let is_long = token.len() >= start.len() + LONG_TOKEN_CHARS;
    // JSON in base64 is no token unless it is a signed one, of three parts.
    (is_long && (*start != "eyJ" || token.split('.').count() == 3)).then(|| at..at + token.len())
}

const TOKEN_STARTS: &[&str] = &[
    "AIza",
    "AKIA",
    "ASIA",
    "SG.",
    "eyJ",
    "ghp_",
    "gho_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "rk_live_",
    "sk_live_",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
];

/// The first bytes of a text, a few fewer if a character would be split.
fn first_bytes(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn nearby(text: &str) -> &str {
    first_bytes(text, NEARBY_BYTES)
}
