//! How a call is made, and who may make it.

use bytes::Bytes;
use fixtures::spec::mend::{
    MEND_ACCESS_PRODUCT_ADMINISTRATOR, MEND_ACCESS_PRODUCT_ADMINISTRATOR_MORE, MEND_ACCESS_ROLE,
    MEND_AUTH_SCOPE_TOKEN, MEND_FOREIGN_TOKEN, MEND_JSON_BODY, MEND_NO_REDIRECT, MEND_POST_ONLY,
    MEND_SEVERITY_BANDS, MEND_SEVERITY_CRITICAL_14, MEND_SEVERITY_CVSS2, MEND_TIMES_GMT, MEND_UNKNOWN_FIELDS,
    MEND_UNKNOWN_HEADERS, MEND_VERSION_PATH,
};
use http::Method;
use serde_json::{Value, json};

use super::super::client::Mend;
use super::subjects::{
    NOBODYS_TOKEN, by, call, changeable_project, details, filled_product, grants, organization, products,
    projects_of, tokens,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::{Row, Rows};

checks! { "mend/calls";
    post_only: MEND_POST_ONLY, Reading, post_only;
    body_is_a_json_object: MEND_JSON_BODY, Reading, body_is_a_json_object;
    version_paths: MEND_VERSION_PATH, Reading, version_paths;
    no_redirect: MEND_NO_REDIRECT, Reading, no_redirect;
    scope_token: MEND_AUTH_SCOPE_TOKEN, Reading, scope_token;
    times_are_in_gmt: MEND_TIMES_GMT, Control, times_are_in_gmt;
    role: MEND_ACCESS_ROLE, Control, role;
    product_administrator: MEND_ACCESS_PRODUCT_ADMINISTRATOR, Control, product_administrator;
    product_administrator_more: MEND_ACCESS_PRODUCT_ADMINISTRATOR_MORE, Control, product_administrator_more;
    critical_in_the_newer_version: MEND_SEVERITY_CRITICAL_14, Reading, critical_in_the_newer_version;
    severity_bands: MEND_SEVERITY_BANDS, Reading, severity_bands;
    severity_by_cvss2: MEND_SEVERITY_CVSS2, Reading, severity_by_cvss2;
    unknown_fields: MEND_UNKNOWN_FIELDS, Reading, unknown_fields;
    foreign_token: MEND_FOREIGN_TOKEN, Reading, foreign_token;
    unknown_headers: MEND_UNKNOWN_HEADERS, Reading, unknown_headers;
}

fn post_only(case: &Case) -> Verdict {
    let api = case.mend()?;
    let details = details(api)?;
    let request = details.request(api);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let why = format!("by {method}");
        details.request_must_be_refused(api, by(&request, method), &why)?;
    }
    Held::once()
}

fn body_is_a_json_object(case: &Case) -> Verdict {
    let api = case.mend()?;
    let details = details(api)?;
    let request = details.request(api);
    let body = request.body_json().unwrap_or_default();
    details.request_must_be_refused(api, request.clone().json(&json!([body])), "in an array")?;
    details.request_must_be_refused(
        api,
        request.clone().json(&Value::from(body.to_string())),
        "as a text",
    )?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        form.append_pair(name, value.as_str().unwrap_or_default());
    }
    let mut request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body = Bytes::from(form.finish());
    details.request_must_be_refused(api, request, "as a form")?;
    Held::once()
}

/// What one version's path grants, the other's does too.
fn version_paths(case: &Case) -> Verdict {
    let api = case.mend()?;
    let mut granted = 0;
    for call in [
        call("getOrganizationDetails", organization(api), "orgName"),
        call("getAllProducts", organization(api), "products"),
        call("getOrganizationProjectVitals", organization(api), "projectVitals"),
    ] {
        let (older, of_older) = api.send(call.request(api.version("v1.3")))?;
        let (newer, of_newer) = api.send(call.request(api.version("v1.4")))?;
        let expected = format!("{} on the paths of 1.3 and 1.4", call.request_type);
        match (grants(&older, call.member), grants(&newer, call.member)) {
            (true, true) => granted += 1,
            (true, false) => return broken_at(&of_newer, expected, "an answer in 1.3 only"),
            (false, true) => return broken_at(&of_older, expected, "an answer in 1.4 only"),
            (false, false) => {}
        }
    }
    Held::over(granted, "none of the calls is granted in either version")
}

fn no_redirect(case: &Case) -> Verdict {
    let api = case.mend()?;
    let call = call("getOrganizationDetails", organization(api), "orgName");
    let request = call.request(api);
    if !request.url.starts_with("http://") {
        return Err(Stop::Skipped(
            "the target is reached by HTTPS, and no key is sent in the clear".to_owned(),
        ));
    }
    let (reply, evidence) = api.send(request)?;
    if (300..400).contains(&reply.status) {
        return broken_at(&evidence, "an answer over plain HTTP", format!("status {}", reply.status));
    }
    observed(grants(&reply, call.member), "the call is not granted")?;
    Held::once()
}

/// Each kind of token is taken where it is what the call is about, and missed where it is absent.
fn scope_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let project = json!({"projectToken": projects.first()});
    for about in [
        call("getOrganizationDetails", organization(api), "orgName"),
        call("getAllProjects", json!({"productToken": product}), "projects"),
        call("getProjectVitals", project, "projectVitals"),
    ] {
        about.granted(api)?;
        call(about.request_type, json!({}), about.member).must_be_refused(api, "without a token")?;
    }
    Held::once()
}

/// A scan dates its project, at a time that a simulator's clock tells.
fn times_are_in_gmt(case: &Case) -> Verdict {
    let (api, sandbox) = (case.mend()?, case.sandbox()?);
    let token = changeable_project(api)?;
    let shown = || {
        let answer = api.accepted("getProjectVitals", &json!({"projectToken": token}))?;
        let vitals = answer.rows("projectVitals", "a project's vitals");
        let dated = vitals.find("date in vitals", |row| row.text("lastUpdatedDate").is_some())?;
        Ok::<_, Stop>(dated.text("lastUpdatedDate").unwrap_or_default().to_owned())
    };
    let before = shown()?;
    sandbox.advance_seconds(1_800)?;
    case.happen(&json!({"type": "mend.scan", "project_token": token}))?;
    let now = sandbox.now()?;
    let after = shown()?;
    observed(after != before, "a scan does not date its project anew")?;
    let second = now.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let zone = after.strip_prefix(&second).map(str::trim);
    let is_gmt = after == now.strftime("%Y-%m-%d").to_string()
        || zone.is_some_and(|zone| ["", "+0000", "+00:00", "Z", "GMT", "UTC"].contains(&zone));
    expect(is_gmt, format!("a project that was scanned at {now} was updated then, in GMT"), after)?;
    Held::once()
}

fn role(case: &Case) -> Verdict {
    let api = case.mend()?;
    let member = api.find_user("who is a plain member", |user| user.role == "member")?;
    let auditor = api.find_user("who is an auditor", |user| user.role == "auditor")?;
    let (product, projects) = filled_product(api)?;
    for call in [
        call("getAllProducts", organization(api), "products"),
        call("getProductProjectVitals", json!({"productToken": product}), "projectVitals"),
        call("getProjectLicenses", json!({"projectToken": projects.first()}), "libraries"),
    ] {
        call.granted(api)?;
        call.must_be_granted(api.with_user_key(&auditor.user_key), "to an auditor")?;
        call.must_be_refused(api.with_user_key(&member.user_key), "to who is neither")?;
    }
    Held::once()
}

fn product_administrator(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (key, product) = administrator_of_a_product(api)?;
    let projects = tokens(&projects_of(api, product)?, "projectToken");
    observed(!projects.is_empty(), "the product has no project")?;
    let project = json!({"projectToken": projects.first()});
    for call in [
        call("getAllProjects", json!({"productToken": product}), "projects"),
        call("getProductProjectVitals", json!({"productToken": product}), "projectVitals"),
        call("getProjectTags", project.clone(), "projectTags"),
        call("getProjectLicenses", project, "libraries"),
    ] {
        call.granted(api)?;
        call.must_be_granted(api.with_user_key(key), "to the product's administrator")?;
    }
    Held::once()
}

/// Which scan is asked about does not matter, nor whose project it is.
fn product_administrator_more(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (key, product) = administrator_of_a_product(api)?;
    let others = products(api)?.only(|row| row.text("productToken").is_some_and(|token| token != product));
    let mut projects = Vec::new();
    for token in tokens(&others, "productToken").iter().take(2) {
        projects.extend(tokens(&projects_of(api, token)?, "projectToken"));
    }
    observed(!projects.is_empty(), "no other product has a project")?;
    let vitals = json!({"orgToken": api.org_token(), "projectToken": projects.first()});
    let state = json!({"orgToken": api.org_token(), "requestToken": &NOBODYS_TOKEN[..32]});
    for call in
        [call("getProjectVitals", vitals, "projectVitals"), call("getRequestState", state, "requestState")]
    {
        call.granted(api)?;
        let why = "to a product's administrator with the organization's token";
        call.must_be_granted(api.with_user_key(key), why)?;
    }
    Held::once()
}

/// The key of a user who administers a product, and the product's token.
fn administrator_of_a_product(api: Mend<'_>) -> Result<(&str, &str), Stop> {
    let is_one = |user: &crate::target::account::MendUser| {
        user.role == "product_administrator" && !user.product_tokens.is_empty()
    };
    let user = api.find_user("who administers a product", is_one)?;
    Ok((&user.user_key, user.product_tokens.first().map(String::as_str).unwrap_or_default()))
}

/// Alerts about a vulnerability with both of CVSS 3's fields.
fn scored(rows: &Rows) -> Rows {
    rows.only(|row| score(row).is_some() && severity(row).is_some())
}

fn score(row: &Row) -> Option<f64> {
    row.json["vulnerability"]["cvss3_score"].as_f64()
}

fn severity(row: &Row) -> Option<&str> {
    row.json["vulnerability"]["cvss3_severity"].as_str()
}

/// The alerts of a project in 1.3.
fn older_alerts(api: Mend<'_>, row: &Row) -> Result<Rows, Stop> {
    let fields = json!({"projectToken": row.json["projectToken"]});
    Ok(api.version("v1.3").accepted("getProjectAlerts", &fields)?.rows("alerts", "an alert"))
}

fn critical_in_the_newer_version(case: &Case) -> Verdict {
    let api = case.mend()?;
    let newer = scored(api.alerts()?).only(|row| score(row) >= Some(9.0));
    newer.all("from 9.0 on `cvss3_severity` is `critical` in 1.4", |row| {
        (severity(row) != Some("critical")).then(|| row.json["vulnerability"].to_string())
    })?;
    let first = newer.find("score from 9.0 on", |row| row.text("projectToken").is_some())?;
    let older = scored(&older_alerts(api, first)?).only(|row| score(row) >= Some(9.0));
    older.all("from 9.0 on `cvss3_severity` is `high` in 1.3", |row| {
        (severity(row) != Some("high")).then(|| row.json["vulnerability"].to_string())
    })
}

fn severity_bands(case: &Case) -> Verdict {
    let banded = scored(case.mend()?.alerts()?)
        .only(|row| score(row).is_some_and(|score| (0.1..9.0).contains(&score)));
    banded.all("`cvss3_severity` is that of the score's band", |row| {
        let score = score(row)?;
        let band = match score {
            ..4.0 => "low",
            4.0..7.0 => "medium",
            _ => "high",
        };
        (severity(row) != Some(band)).then(|| format!("{score} is {:?}", severity(row)))
    })
}

fn severity_by_cvss2(case: &Case) -> Verdict {
    let api = case.mend()?;
    let rated = |rows: &Rows| rows.only(|row| !row.json["vulnerability"]["severity"].is_null());
    let unknown = |row: &Row| {
        let severity = &row.json["vulnerability"]["severity"];
        let is_known = severity.as_str().is_some_and(|word| ["low", "medium", "high"].contains(&word));
        (!is_known).then(|| severity.to_string())
    };
    let newer = rated(api.alerts()?);
    newer.all("`severity` is `low`, `medium` or `high` in 1.4", unknown)?;
    let first = newer.find("vulnerability", |row| row.text("projectToken").is_some())?;
    let older = rated(&older_alerts(api, first)?);
    older.all("`severity` is `low`, `medium` or `high` in 1.3", unknown)
}

fn unknown_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let details = details(api)?;
    let agent = json!({"agentInfo": {"agent": "contract-tests", "agentVersion": "1.0"}});
    details.with(&agent).must_be_granted(api, "with `agentInfo`")?;
    let other = json!({"excludeExtraData": true, "contractSuite": [1, null]});
    details.with(&other).must_be_granted(api, "with fields that no page lists")?;
    Held::once()
}

fn foreign_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let project = json!({"projectToken": projects.first()});
    for call in [
        call("getAllProjects", json!({"productToken": product}), "projects"),
        call("getProjectTags", project, "projectTags"),
    ] {
        call.granted(api)?;
        call.with(&organization(api)).must_be_granted(api, "with `orgToken` beside its own token")?;
    }
    Held::once()
}

fn unknown_headers(case: &Case) -> Verdict {
    let api = case.mend()?;
    let details = details(api)?;
    let headers = [
        ("agent", "contract-tests"),
        ("agentversion", "1.0"),
        ("ctxid", "5f0c3e52-1c0a-4b1e-9a57-0d2a6f6a3f11"),
        ("accept-charset", "UTF-8"),
    ];
    let request =
        headers.into_iter().fold(details.request(api), |request, (name, value)| request.header(name, value));
    details.request_must_be_granted(api, request, "with headers that no page lists")?;
    Held::once()
}
