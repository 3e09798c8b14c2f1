//! What the checks of these pages try things with: calls that are granted, projects, products.

use http::Method;
use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use crate::suite::check::{Held, Stop, Verdict, broken_at, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape;
use crate::target::exchange::{Reply, Request};

/// A token that nothing has.
pub(super) const NOBODYS_TOKEN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A call, and the member that its answer is made for.
pub(super) struct Call {
    /// The `requestType`.
    pub(super) request_type: &'static str,
    /// The fields.
    pub(super) fields: Value,
    /// The member.
    pub(super) member: &'static str,
}

/// A call with these fields.
pub(super) fn call(request_type: &'static str, fields: Value, member: &'static str) -> Call {
    Call { request_type, fields, member }
}

/// Whether a reply is what a call is made for: an answer with that member.
pub(super) fn grants(reply: &Reply, member: &str) -> bool {
    let has = |json: Value| {
        json.get("errorCode").is_none() && json.get(member).is_some_and(|value| !value.is_null())
    };
    reply.status == 200 && reply.json().is_some_and(has)
}

impl Call {
    /// The request of the call.
    pub(super) fn request(&self, api: Mend<'_>) -> Request {
        api.request(self.request_type, &self.fields)
    }

    /// The same call with other fields beside its own, or in their place.
    pub(super) fn with(&self, more: &Value) -> Self {
        let mut fields = self.fields.clone();
        merge(&mut fields, more);
        Self { fields, ..*self }
    }

    /// Makes the call as a prerequisite.
    pub(super) fn granted(&self, api: Mend<'_>) -> Result<Answer, Stop> {
        let answer = api.accepted(self.request_type, &self.fields)?;
        let is_there = answer.json.get(self.member).is_some_and(|value| !value.is_null());
        observed(is_there, format!("{} answers no `{}`", self.request_type, self.member))?;
        Ok(answer)
    }

    /// The call has to be granted; `why` says what it is.
    pub(super) fn must_be_granted(&self, api: Mend<'_>, why: &str) -> Result<(), Stop> {
        self.request_must_be_granted(api, self.request(api), why)
    }

    /// This form of the call has to be granted; `why` says what it is.
    pub(super) fn request_must_be_granted(
        &self,
        api: Mend<'_>,
        request: Request,
        why: &str,
    ) -> Result<(), Stop> {
        let (reply, evidence) = api.send(request)?;
        if grants(&reply, self.member) {
            return Ok(());
        }
        broken_at(&evidence, format!("{} is granted {why}", self.request_type), seen(&reply))
    }

    /// The call has to be refused; `why` says what it is.
    pub(super) fn must_be_refused(&self, api: Mend<'_>, why: &str) -> Result<(), Stop> {
        self.request_must_be_refused(api, self.request(api), why)
    }

    /// This form of the call has to be refused; `why` says what it is.
    pub(super) fn request_must_be_refused(
        &self,
        api: Mend<'_>,
        request: Request,
        why: &str,
    ) -> Result<(), Stop> {
        let (reply, evidence) = api.send(request)?;
        if grants(&reply, self.member) {
            return broken_at(&evidence, format!("{} is refused {why}", self.request_type), "an answer");
        }
        Ok(())
    }
}

/// A reply in a few words.
fn seen(reply: &Reply) -> String {
    match reply.json() {
        Some(json) if json["errorCode"].is_number() => {
            format!("the error {}, {}", json["errorCode"], json["errorMessage"])
        }
        _ => format!("the status {} and another body", reply.status),
    }
}

/// Puts members into an object.
pub(super) fn merge(object: &mut Value, more: &Value) {
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
}

/// The organization as the subject of a call.
pub(super) fn organization(api: Mend<'_>) -> Value {
    json!({"orgToken": api.org_token()})
}

/// The call that the organization's details answer, after it was granted once.
pub(super) fn details(api: Mend<'_>) -> Result<Call, Stop> {
    let details = call("getOrganizationDetails", organization(api), "orgName");
    details.granted(api)?;
    Ok(details)
}

/// The rows of a list that a call answers by this name, as a prerequisite.
pub(super) fn rows_of(
    api: Mend<'_>,
    request_type: &str,
    fields: &Value,
    member: &str,
    what: &'static str,
) -> Result<Rows, Stop> {
    let answer = api.accepted(request_type, fields)?;
    let is_list = answer.json.get(member).is_some_and(Value::is_array);
    observed(is_list, format!("{request_type} answers no list `{member}`"))?;
    Ok(answer.rows(member, what))
}

/// The organization's products: rows with `productToken`.
pub(super) fn products(api: Mend<'_>) -> Result<Rows, Stop> {
    rows_of(api, "getAllProducts", &organization(api), "products", "a product")
}

/// A product's projects: rows with `projectToken`.
pub(super) fn projects_of(api: Mend<'_>, product_token: &str) -> Result<Rows, Stop> {
    let fields = json!({"productToken": product_token});
    rows_of(api, "getAllProjects", &fields, "projects", "a project")
}

/// The token of a product with a project that has something in it, and its projects, that one first.
pub(super) fn filled_product(api: Mend<'_>) -> Result<(String, Vec<String>), Stop> {
    let wanted = project(api)?;
    for product in tokens(&products(api)?, "productToken") {
        let mut projects = tokens(&projects_of(api, &product)?, "projectToken");
        if let Some(place) = projects.iter().position(|token| *token == wanted) {
            projects.swap(0, place);
            return Ok((product, projects));
        }
    }
    Err(Stop::NotExercised("no product lists the project".to_owned()))
}

/// Tokens that rows have.
pub(super) fn tokens(rows: &Rows, name: &str) -> Vec<String> {
    rows.rows.iter().filter_map(|row| row.text(name)).map(str::to_owned).collect()
}

/// The token of a project with something in it: alerts, if there are any.
pub(super) fn project(api: Mend<'_>) -> Result<String, Stop> {
    let with_token = |row: &Row| row.text("projectToken").is_some();
    let alarmed = api.alerts()?.rows.iter().find(|row| with_token(row));
    let project = match alarmed {
        Some(alert) => alert,
        None => api.projects()?.find("project with a token", with_token)?,
    };
    Ok(project.text("projectToken").unwrap_or_default().to_owned())
}

/// The tokens of the projects in which something may be changed; those named, if the account is somebody's.
pub(super) fn changeable_projects(api: Mend<'_>) -> Result<Vec<String>, Stop> {
    let Some(writes) = api.case().writes() else { return Ok(tokens(api.projects()?, "projectToken")) };
    match &writes.project_token {
        Some(token) => Ok(vec![token.clone()]),
        None => {
            let why = "no project is named in which something may be changed (--mend-project)";
            Err(Stop::Skipped(why.to_owned()))
        }
    }
}

/// The token of a project in which something may be changed.
pub(super) fn changeable_project(api: Mend<'_>) -> Result<String, Stop> {
    let first = changeable_projects(api)?.into_iter().next();
    first.ok_or_else(|| Stop::NotExercised("there is no project".to_owned()))
}

/// The libraries of a project with their licences.
pub(super) fn licensed_libraries(api: Mend<'_>, project_token: &str) -> Result<Rows, Stop> {
    let fields = json!({"projectToken": project_token});
    rows_of(api, "getProjectLicenses", &fields, "libraries", "a library")
}

/// A call answers a list by this name, and its rows have these members. An empty list proves nothing.
pub(super) fn lists(
    api: Mend<'_>,
    call: &Call,
    what: &'static str,
    members: &'static [(&'static str, Shape)],
) -> Verdict {
    let rows = listed(api, call, what)?;
    for (name, shape) in members {
        rows.each(name, shape)?;
    }
    Held::over(rows.rows.len(), &format!("{} lists nothing", call.request_type))
}

/// The rows of a list that a call has to answer by this name.
pub(super) fn listed(api: Mend<'_>, call: &Call, what: &'static str) -> Result<Rows, Stop> {
    let answer = api.accepted(call.request_type, &call.fields)?;
    if answer.json.get(call.member).is_some_and(Value::is_array) {
        return Ok(answer.rows(call.member, what));
    }
    let names: Vec<&String> = answer.json.as_object().into_iter().flat_map(|json| json.keys()).collect();
    let expected = format!("{} answers a list as `{}`", call.request_type, call.member);
    broken_at(&answer.evidence, expected, format!("{names:?}"))
}

/// A request by another method than the one it has.
pub(super) fn by(request: &Request, method: Method) -> Request {
    Request { method, ..request.clone() }
}
