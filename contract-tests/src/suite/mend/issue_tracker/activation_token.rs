//! `getIntegrationActivationToken`.

use fixtures::spec::mend::{
    MEND_TOKEN_ACTIVATION, MEND_TOKEN_INTEGRATION_TYPE, MEND_TOKEN_KEY, MEND_TOKEN_ORG_TOKEN,
    MEND_TOKEN_SERVICE_USER,
};
use serde_json::{Value, json};

use super::super::{Answer, Mend};
use super::asking::{MATCHES, TOKEN, about_organization, refuses, without};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};

checks! { "mend/activation-token";
    token_makes_calls: MEND_TOKEN_ACTIVATION, Lasting, token_makes_calls;
    service_user_of_its_own: MEND_TOKEN_SERVICE_USER, Lasting, service_user_of_its_own;
    org_token_required: MEND_TOKEN_ORG_TOKEN, Lasting, |case| required(case, "orgToken");
    integration_type: MEND_TOKEN_INTEGRATION_TYPE, Lasting, integration_type;
    token_key: MEND_TOKEN_KEY, Lasting, token_key;
}

/// The types of integrations that the page names.
const TYPES: [&str; 2] = ["issueTrackerIntegration", "azureDevOps"];

fn fields(api: Mend<'_>, integration_type: &str) -> Value {
    json!({"orgToken": api.org_token(), "integrationType": integration_type})
}

/// The one text of an answer, whatever it is called.
fn token_in(answer: &Answer) -> Result<&str, Stop> {
    let mut texts = answer.json.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    match (texts.next(), texts.next()) {
        (Some(token), None) if !token.is_empty() => Ok(token),
        _ => not_exercised(format!("{TOKEN} answers no token")),
    }
}

/// Makes a call that shows something, with a key.
fn can_call<'a>(api: Mend<'a>, key: &'a str) -> Result<(bool, Answer), Stop> {
    let answer = api.with_user_key(key).call(MATCHES, &about_organization(api))?;
    let can = answer.json["matches"].as_array().is_some_and(|rows| !rows.is_empty());
    Ok((can, answer))
}

fn token_makes_calls(case: &Case) -> Verdict {
    let api = case.mend()?;
    observed(can_call(api, api.user_key())?.0, "the user's own key shows no types of matches")?;
    let answer = api.accepted(TOKEN, &fields(api, TYPES[0]))?;
    let (can, answer) = can_call(api, token_in(&answer)?)?;
    if !can {
        return broken_at(&answer.evidence, "the token makes calls", &answer.json);
    }
    Held::once()
}

fn users(api: Mend<'_>) -> Result<i64, Stop> {
    let answer = api.accepted("getOrganizationDetails", &about_organization(api))?;
    let users = answer.json["numberOfUsers"].as_i64();
    users.ok_or_else(|| Stop::NotExercised("the organization does not say how many users it has".to_owned()))
}

fn service_user_of_its_own(case: &Case) -> Verdict {
    let api = case.mend()?;
    let before = users(api)?;
    let answer = api.accepted(TOKEN, &fields(api, TYPES[0]))?;
    let token = token_in(&answer)?.to_owned();
    observed(can_call(api, &token)?.0, "the token makes no calls")?;
    if token == api.user_key() {
        return broken_at(&answer.evidence, "a token of its own", "the key of the user who asked");
    }
    let after = users(api)?;
    if after != before + 1 {
        let expected = format!("one user more than {before}");
        return broken_at(&answer.evidence, expected, format!("{after} users"));
    }
    Held::once()
}

/// Without a field the call is refused, and with it answered.
fn required(case: &Case, name: &str) -> Verdict {
    let api = case.mend()?;
    let fields = fields(api, TYPES[0]);
    token_in(&api.accepted(TOKEN, &fields)?)?;
    refuses(api, TOKEN, &[(&format!("without `{name}`"), without(&fields, name))])
}

fn integration_type(case: &Case) -> Verdict {
    let api = case.mend()?;
    let mut accepted = 0;
    let mut refused = None;
    for one in TYPES {
        let answer = api.call(TOKEN, &fields(api, one))?;
        if answer.is_refused() {
            refused = Some((one, answer));
        } else if token_in(&answer).is_ok() {
            accepted += 1;
        }
    }
    match refused {
        Some((one, answer)) if accepted > 0 => {
            broken_at(&answer.evidence, format!("{one} is accepted"), &answer.json)
        }
        _ => required(case, "integrationType"),
    }
}

fn token_key(case: &Case) -> Verdict {
    let api = case.mend()?;
    let answer = api.accepted(TOKEN, &fields(api, TYPES[0]))?;
    observed(answer.json.as_object().is_some_and(|members| !members.is_empty()), "the answer is empty")?;
    match answer.json["activationToken"].as_str() {
        Some(token) if !token.is_empty() => Held::once(),
        _ => {
            let names: Vec<&String> =
                answer.json.as_object().into_iter().flatten().map(|(name, _)| name).collect();
            broken_at(&answer.evidence, "the string `activationToken`", format!("{names:?}"))
        }
    }
}
