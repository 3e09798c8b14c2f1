//! Which transition leads to where a ticket has to go. Pure.
//!
//! Names of transitions mean nothing: `Close it` may lead to `Done`. What counts is the category of the status that a
//! transition leads to, and what its screen asks for.

use serde_json::{Map, Value, json};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Whether the ticket is to be done.
    pub(super) is_done: bool,
    /// The status, if it has to be this one.
    pub(super) status: Option<&'a str>,
    /// The resolution, if one is asked for and it has to be this one.
    pub(super) resolution: Option<&'a str>,
}

/// A transition to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) id: String,
    /// What its screen has to be given.
    pub(super) fields: Map<String, Value>,
}

/// Words for statuses and resolutions that say what happened, most telling first; only to choose among several.
const DONE_WORDS: [&str; 4] = ["done", "closed", "resolved", "fixed"];
const OPEN_WORDS: [&str; 4] = ["reopened", "to do", "open", "backlog"];
const RESOLUTION_WORDS: [&str; 3] = ["done", "fixed", "resolved"];

/// Chooses among the transitions that Jira offers. The same offer always gives the same choice. `Err`: why there is none,
/// for people.
pub(super) fn choose(transitions: &[Value], wanted: &Wanted<'_>) -> Result<Chosen, String> {
    let mut offered: Vec<Offer<'_>> = transitions.iter().filter_map(Offer::of).collect();
    let statuses: Vec<&str> = offered.iter().map(|offer| offer.status).collect();
    let all = if statuses.is_empty() { "nowhere".to_owned() } else { statuses.join(", ") };
    offered.retain(|offer| {
        offer.is_done() == Some(wanted.is_done)
            && wanted.status.is_none_or(|status| status.eq_ignore_ascii_case(offer.status))
    });
    if offered.is_empty() {
        let kind = if wanted.is_done { "done" } else { "open" };
        let named = wanted.status.map(|status| format!(" {status:?}")).unwrap_or_default();
        return Err(format!("the workflow leads to no {kind} status{named}: from here it leads to {all}"));
    }
    offered.sort_by_key(|offer| offer.rank(wanted.is_done));
    let mut missing = None;
    for offer in &offered {
        match offer.fields(wanted) {
            Ok(fields) => return Ok(Chosen { id: offer.id.to_owned(), fields }),
            Err(field) => {
                missing.get_or_insert(format!(
                    "the way to {:?} asks for {field}, which people have to fill in",
                    offer.status
                ));
            }
        }
    }
    Err(missing.unwrap_or_default())
}

/// A transition as Jira offers it.
struct Offer<'a> {
    id: &'a str,
    status: &'a str,
    status_id: &'a str,
    category: &'a str,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Offer<'a> {
    fn of(transition: &'a Value) -> Option<Self> {
        let to = transition.get("to")?;
        let text = |value: &'a Value, name: &str| value.get(name).and_then(Value::as_str);
        // Jira also lists what can't be done now, where it is asked to.
        let is_available = transition.get("isAvailable").and_then(Value::as_bool).unwrap_or(true);
        is_available.then_some(Self {
            id: text(transition, "id")?,
            status: text(to, "name").unwrap_or_default(),
            status_id: text(to, "id").unwrap_or_default(),
            category: to.get("statusCategory").and_then(|category| text(category, "key")).unwrap_or_default(),
            fields: transition.get("fields").and_then(Value::as_object),
        })
    }

    /// `None`: Jira has no category for it that we know.
    fn is_done(&self) -> Option<bool> {
        match self.category {
            "done" => Some(true),
            "new" | "indeterminate" => Some(false),
            _ => None,
        }
    }

    fn rank(&self, is_done: bool) -> (bool, usize, u64, u64) {
        let words = if is_done { &DONE_WORDS } else { &OPEN_WORDS };
        let number = |text: &str| text.parse().unwrap_or(u64::MAX);
        (
            // What is opened again was not begun again.
            self.category == "indeterminate",
            place(words, self.status),
            number(self.status_id),
            number(self.id),
        )
    }

    /// What has to be given besides; `Err`: the name of a field that only people can fill in.
    fn fields(&self, wanted: &Wanted<'_>) -> Result<Map<String, Value>, String> {
        let mut given = Map::new();
        for (id, field) in self.fields.into_iter().flatten() {
            let is = |name: &str| field.get(name).and_then(Value::as_bool).unwrap_or(false);
            if id == "resolution" && wanted.is_done {
                // A screen with a resolution sets it to its first one otherwise, which may say that nothing was done.
                let needed = is("required") || wanted.resolution.is_some() || !is("hasDefaultValue");
                match resolution(field, wanted.resolution) {
                    Some(name) => {
                        given.insert(id.clone(), json!({"name": name}));
                    }
                    None if needed && is("required") => {
                        return Err(match wanted.resolution {
                            Some(name) => format!("a resolution, and does not know {name:?}"),
                            None => "a resolution, and offers none".to_owned(),
                        });
                    }
                    None => {}
                }
            } else if is("required") && !is("hasDefaultValue") {
                let name = field.get("name").and_then(Value::as_str).unwrap_or(id);
                return Err(format!("{name:?}"));
            }
        }
        Ok(given)
    }
}

fn resolution<'a>(field: &'a Value, wanted: Option<&str>) -> Option<&'a str> {
    let allowed = field.get("allowedValues").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names = || allowed.iter().filter_map(|value| value.get("name").and_then(Value::as_str));
    match wanted {
        Some(wanted) => names().find(|name| name.eq_ignore_ascii_case(wanted)),
        // The first of the equally good ones.
        None => names().min_by_key(|name| place(&RESOLUTION_WORDS, name)),
    }
}

fn place(words: &[&str], name: &str) -> usize {
    words.iter().position(|word| word.eq_ignore_ascii_case(name)).unwrap_or(words.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Wanted, choose};

    fn way(id: &str, status: &str, category: &str) -> Value {
        json!({
            "id": id, "name": format!("Go to {status}"), "fields": {},
            "to": {"id": format!("1{id}"), "name": status, "statusCategory": {"key": category}},
        })
    }

    fn with_field(mut way: Value, id: &str, field: Value) -> Value {
        way["fields"][id] = field;
        way
    }

    const DONE: Wanted<'static> = Wanted { is_done: true, status: None, resolution: None };
    const OPEN: Wanted<'static> = Wanted { is_done: false, status: None, resolution: None };

    fn id(transitions: &[Value], wanted: &Wanted<'_>) -> Result<String, String> {
        choose(transitions, wanted).map(|chosen| chosen.id)
    }

    /// Rows 30 and 33 of the catalogue: neither names nor numbers decide, but the category.
    #[test]
    fn the_category_of_the_status_decides() {
        let ways = [way("1", "Done", "new"), way("2", "Fertig", "done"), way("3", "Offen", "new")];
        assert_eq!(id(&ways, &DONE).unwrap(), "2");
        assert_eq!(id(&ways[2..], &OPEN).unwrap(), "3");
        let text = id(&ways[..1], &DONE).unwrap_err();
        assert_eq!(text, "the workflow leads to no done status: from here it leads to Done");
        assert!(id(&[], &DONE).unwrap_err().contains("nowhere"));
        assert!(id(&[way("1", "Odd", "undefined")], &OPEN).is_err());
    }

    #[test]
    fn among_several_the_same_one_is_taken_whatever_their_order() {
        let mut ways = vec![
            way("7", "Won't Do", "done"),
            way("9", "Done", "done"),
            way("8", "Duplicate", "done"),
            way("5", "In Progress", "indeterminate"),
            way("6", "Selected", "new"),
        ];
        for _ in 0..ways.len() {
            assert_eq!(id(&ways, &DONE).unwrap(), "9");
            assert_eq!(id(&ways, &OPEN).unwrap(), "6");
            ways.rotate_left(1);
        }
        assert_eq!(id(&ways, &Wanted { status: Some("duplicate"), ..DONE }).unwrap(), "8");
        let text = id(&ways, &Wanted { status: Some("Gone"), ..DONE }).unwrap_err();
        assert!(text.contains("no done status \"Gone\""), "{text}");
        ways.retain(|way| way["id"] != "9");
        assert_eq!(id(&ways, &DONE).unwrap(), "7", "the lowest number, not the shortest text");
    }

    /// Row 32 of the catalogue.
    #[test]
    fn what_a_screen_asks_for_is_given_or_named() {
        let resolutions = json!({
            "required": true, "hasDefaultValue": false, "name": "Resolution",
            "allowedValues": [{"name": "Won't Do"}, {"name": "Fixed"}],
        });
        let asks = with_field(way("1", "Done", "done"), "resolution", resolutions);
        let given = choose(std::slice::from_ref(&asks), &DONE).unwrap().fields;
        assert_eq!(Value::Object(given), json!({"resolution": {"name": "Fixed"}}));
        let wanted = Wanted { resolution: Some("won't do"), ..DONE };
        let given = choose(std::slice::from_ref(&asks), &wanted).unwrap().fields;
        assert_eq!(Value::Object(given), json!({"resolution": {"name": "Won't Do"}}));
        let text = id(&[asks], &Wanted { resolution: Some("Gone"), ..DONE }).unwrap_err();
        assert!(text.contains("does not know \"Gone\""), "{text}");

        let cause = json!({"required": true, "hasDefaultValue": false, "name": "Root cause"});
        let strict = with_field(way("1", "Done", "done"), "customfield_10010", cause.clone());
        let text = id(std::slice::from_ref(&strict), &DONE).unwrap_err();
        assert_eq!(text, "the way to \"Done\" asks for \"Root cause\", which people have to fill in");
        assert_eq!(id(&[strict, way("2", "Closed", "done")], &DONE).unwrap(), "2", "another way is open");
        let mut usual = cause;
        usual["hasDefaultValue"] = json!(true);
        assert!(id(&[with_field(way("1", "Done", "done"), "x", usual)], &DONE).is_ok());
    }

    #[test]
    fn what_is_not_available_or_no_transition_is_left_out() {
        let mut closed = way("1", "Done", "done");
        closed["isAvailable"] = json!(false);
        assert!(id(&[closed, json!({}), json!(null), json!({"id": 5, "to": {}})], &DONE).is_err());
    }
}
