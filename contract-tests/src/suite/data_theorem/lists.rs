//! What all lists of this API have in common: filters that narrow, cursors that lead on, counts that count.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::client::{DataTheorem, list_in, total_count, with_query};
use crate::suite::check::{Held, Stop, Verdict, broken, broken_at, expect, not_exercised, observed};
use crate::suite::rows::{Row, Rows};

/// A list under a filter holds what passes and nothing else. `all` is the list without the filter: it has to have
/// rows of both kinds, or nothing is learnt.
pub(super) fn narrows(
    api: DataTheorem<'_>,
    all: &Rows,
    resource: &str,
    query: &[(&str, &str)],
    passes: impl Fn(&Row) -> bool,
) -> Verdict {
    let shown = with_query(resource, query);
    let passing = all.only(&passes);
    observed(!passing.rows.is_empty(), format!("nothing in the account passes the filter of {shown}"))?;
    observed(passing.rows.len() < all.rows.len(), format!("everything passes the filter of {shown}"))?;
    accepts(api, resource, query)?;
    let filtered = api.all(resource, query)?;
    for row in &filtered.rows {
        if !passes(row) {
            let id = row.text("id").unwrap_or_default();
            return broken_at(&row.evidence, format!("{shown} lists only what passes"), format!("also {id}"));
        }
    }
    if all.is_complete && filtered.is_complete {
        let listed: BTreeSet<String> = filtered.rows.iter().map(id_of).collect();
        if let Some(row) = passing.rows.iter().find(|row| !listed.contains(&id_of(row))) {
            let seen = format!("{} is missing", id_of(row));
            return broken(format!("{shown} lists everything that passes"), seen);
        }
    }
    Held::over(filtered.rows.len(), &format!("{shown} is empty"))
}

/// A row's id as it is printed, whatever its type: that the type is right is another rule's business.
fn id_of(row: &Row) -> String {
    row.get("id").map(ToString::to_string).unwrap_or_default()
}

/// A documented filter is taken, given that the list itself is.
pub(super) fn accepts(api: DataTheorem<'_>, resource: &str, query: &[(&str, &str)]) -> Result<(), Stop> {
    api.page(resource, &[])?;
    let path = with_query(resource, query);
    let (reply, evidence) = api.get(&path)?;
    if reply.status == 200 {
        return Ok(());
    }
    broken_at(&evidence, format!("GET {path} is accepted, as GET {resource} is"), reply.status)
}

/// `results_since` lists what changed since and leaves out what did not. The very moment is left open on purpose.
pub(super) fn narrows_by_time(api: DataTheorem<'_>, all: &Rows, resource: &str, name: &str) -> Verdict {
    let since = moment_between(all, name)?;
    let text = format!("{since:.6}");
    narrows(api, all, resource, &[("results_since", &text)], |row| {
        row.time(name).is_some_and(|time| time >= since)
    })
}

/// A moment in the middle of those that rows show, and of no row itself.
pub(super) fn moment_between(rows: &Rows, name: &str) -> Result<Timestamp, Stop> {
    let Some(time) = middle(rows, name) else {
        return not_exercised("no two rows changed at different times");
    };
    Ok(just_after(time))
}

/// A microsecond later than a row that exists: that row is out, the next one is in.
pub(super) fn just_after(time: Timestamp) -> Timestamp {
    time.saturating_add(SignedDuration::from_micros(1)).unwrap_or(time)
}

/// A time in the middle of those that rows show, with later ones behind it.
pub(super) fn middle(rows: &Rows, name: &str) -> Option<Timestamp> {
    let times: BTreeSet<Timestamp> = rows.rows.iter().filter_map(|row| row.time(name)).collect();
    if times.len() < 2 {
        return None;
    }
    times.iter().nth((times.len() - 1) / 2).copied()
}

/// The second page continues behind the first.
pub(super) fn cursor_continues(api: DataTheorem<'_>, resource: &str, query: &[(&str, &str)]) -> Verdict {
    let first = api.page(resource, query)?;
    observed(!first.rows.rows.is_empty(), format!("{resource} is empty"))?;
    let Some(cursor) = first.next_cursor else {
        return not_exercised(format!("{resource} has no second page"));
    };
    let mut again = query.to_vec();
    again.push(("cursor", &cursor));
    let path = with_query(resource, &again);
    let (reply, evidence) = api.get(&path)?;
    if reply.status != 200 {
        return broken_at(&evidence, "the cursor of the first page is accepted", reply.status);
    }
    let second = api.page(resource, &again)?;
    let seen: BTreeSet<_> = first.rows.rows.iter().filter_map(|row| row.text("id")).collect();
    let repeated = second.rows.rows.iter().find(|row| row.text("id").is_some_and(|id| seen.contains(id)));
    if let Some(row) = repeated {
        let id = row.text("id").unwrap_or_default();
        return broken_at(
            &second.evidence,
            "the second page goes on behind the first",
            format!("{id} again"),
        );
    }
    // What is on the first page cannot be on the second, and an empty second page would say that it is the last.
    let more = total_count(first.pagination.as_ref().unwrap_or_default());
    let wanted = more.is_some_and(|total| total > first.rows.rows.len() as u64);
    expect(!(wanted && second.rows.rows.is_empty()), "rows on the second page", "none")?;
    Held::over(second.rows.rows.len(), "the second page is empty")
}

/// Following the cursors serves every row once: as many different rows as the first page's count says.
pub(super) fn cursor_serves_all(api: DataTheorem<'_>, resource: &str) -> Verdict {
    let all = api.all(resource, &[])?;
    observed(all.is_complete, format!("{resource} is too long to be read to its end"))?;
    let first = api.page(resource, &[])?;
    observed(first.next_cursor.is_some(), format!("{resource} has no second page"))?;
    let ids: BTreeSet<_> = all.rows.iter().filter_map(|row| row.text("id")).collect();
    expect(
        ids.len() == all.rows.len(),
        "no row comes twice",
        format!("{} rows, {} ids", all.rows.len(), ids.len()),
    )?;
    let Some(total) = first.pagination.as_ref().and_then(total_count) else {
        return not_exercised("the list has no total count");
    };
    expect(total == ids.len() as u64, format!("{total} rows, as counted"), format!("{} rows", ids.len()))?;
    Held::over(ids.len(), "the list is empty")
}

/// `pagination_information` with a count, and with a cursor where there is more.
pub(super) fn has_pagination(api: DataTheorem<'_>, resource: &str) -> Verdict {
    let page = api.page(resource, &[])?;
    let Some(pagination) = &page.pagination else {
        return broken_at(&page.evidence, "`pagination_information` beside the rows", "none");
    };
    let Some(total) = total_count(pagination) else {
        return broken_at(&page.evidence, "a `total_count` in `pagination_information`", pagination);
    };
    let here = page.rows.rows.len() as u64;
    if total > here && page.next_cursor.is_none() {
        let seen = format!("{here} of {total} rows and no `next_cursor`");
        return broken_at(&page.evidence, "a `next_cursor` where there is more", seen);
    }
    observed(here > 0, format!("{resource} is empty"))?;
    Held::once()
}

/// Other spellings of a query's text list what the plain one lists, given that the plain one limits the list.
pub(super) fn spelled_alike(
    api: DataTheorem<'_>,
    all: &Rows,
    resource: &str,
    plain: &str,
    others: &[&str],
) -> Verdict {
    let shown = |query: &str| -> Result<_, Stop> {
        let (reply, evidence) = api.get(&format!("{resource}?{query}"))?;
        let json = reply.json().unwrap_or_default();
        let total = total_count(&json["pagination_information"]);
        let ids: Vec<Value> =
            list_in(resource, &json).into_iter().flatten().map(|row| row["id"].clone()).collect();
        Ok((reply.status, total, ids, evidence))
    };
    let (status, total, ids, _) = shown(plain)?;
    observed(status == 200 && !ids.is_empty(), format!("GET {resource}?{plain} lists nothing"))?;
    let limits = total.is_some_and(|total| total < all.rows.len() as u64);
    observed(limits, format!("GET {resource}?{plain} lists everything"))?;
    for query in others {
        let (other_status, other_total, other_ids, evidence) = shown(query)?;
        if other_status != 200 {
            return broken_at(&evidence, format!("{query} is understood as {plain} is"), other_status);
        }
        if (other_total, &other_ids) != (total, &ids) {
            let seen = format!("{other_total:?} rows in all, {total:?} there");
            return broken_at(&evidence, format!("{query} lists what {plain} lists"), seen);
        }
    }
    Held::over(others.len(), "there is one spelling only")
}

/// What was listed is served alone too, with its id; what does not exist is not.
pub(super) fn serves_alone(api: DataTheorem<'_>, resource: &str, id: &str) -> Result<(), Stop> {
    let (reply, evidence) = api.get(&format!("{resource}/{id}"))?;
    let shown = reply.json().unwrap_or_default();
    if reply.status != 200 || shown["id"] != id {
        let seen = format!("{} with the id {}", reply.status, shown["id"]);
        return broken_at(&evidence, format!("{id} of {resource}, which was listed"), seen);
    }
    // Only a server that tells ids apart answers with the one that was asked for.
    let (other, _) = api.get(&format!("{resource}/{id}0"))?;
    observed(
        !other.is_success(),
        format!("an id that does not exist in {resource} is answered with success too"),
    )
}

/// A list answers 200 with an object that holds the rows under one of these keys.
pub(super) fn answers_rows(api: DataTheorem<'_>, resource: &str, keys: &[&str]) -> Verdict {
    let (reply, evidence) = api.get(resource)?;
    if reply.status != 200 {
        return broken_at(&evidence, "status 200", reply.status);
    }
    let Some(json) = reply.json().filter(Value::is_object) else {
        return broken_at(&evidence, "a JSON object", String::from_utf8_lossy(&reply.body));
    };
    match keys.iter().find_map(|key| json[*key].as_array()) {
        Some(rows) => Held::over(rows.len(), &format!("{resource} is empty")),
        None => broken_at(&evidence, format!("a list under `{}`", keys.join("` or `")), "no list"),
    }
}

/// What is listed can be got alone, and what does not exist can't.
pub(super) fn gets_what_is_listed(api: DataTheorem<'_>, resource: &str, listed: &Rows) -> Verdict {
    let row = listed.find("row to get", |row| row.text("id").is_some())?;
    serves_alone(api, resource, row.text("id").unwrap_or_default())?;
    Held::once()
}
