"""The library `jira` (pycontribs): create, read, search, comment, transition, label, delete."""

import os

from jira import JIRA, JIRAError

project = os.environ["JIRA_PROJECT"]
client = JIRA(
    server=os.environ["JIRA_BASE_URL"],
    basic_auth=(os.environ["JIRA_EMAIL"], os.environ["JIRA_API_TOKEN"]),
    max_retries=0,
)

assert client.server_info()["deploymentType"] == "Cloud"
assert client.myself()["emailAddress"] == os.environ["JIRA_EMAIL"]
assert project in [one.key for one in client.projects()]
print("ok: who am I, which projects are there")

issue = client.create_issue(
    project=project,
    summary="Cleartext traffic is allowed",
    description="The app talks *http* to its server.",
    issuetype={"name": "Bug"},
    labels=["foreign-client-1"],
)
assert issue.key.startswith(project + "-")
assert issue.fields.status.statusCategory.key == "new"
assert issue.fields.description == "The app talks *http* to its server."
print("ok: create an issue, and read it back as text")

found = client.search_issues(f'project = {project} AND labels = "foreign-client-1"')
assert [one.key for one in found] == [issue.key], found
assert found[0].fields.summary == "Cleartext traffic is allowed"
assert client.search_issues('labels = "nobody-has-this-label"') == []
print("ok: search by label")

client.add_comment(issue, "Seen again in build 9.2.0.")
assert [one.body for one in client.comments(issue)] == ["Seen again in build 9.2.0."]
print("ok: comment")

try:
    client.transition_issue(issue, "Resolve issue")
    raise AssertionError("the screen of this transition asks for a resolution")
except JIRAError as error:
    assert error.status_code == 400 and "esolution" in error.text, error
client.transition_issue(issue, "Resolve issue", resolution={"name": "Done"})
closed = client.issue(issue.key)
assert closed.fields.status.statusCategory.key == "done"
assert closed.fields.resolution.name == "Done"
print("ok: transition by name, with the resolution that its screen asks for")

issue.update(summary="Cleartext traffic is allowed everywhere")
issue.add_field_value("labels", "added-later")
again = client.issue(issue.key)
assert again.fields.summary == "Cleartext traffic is allowed everywhere"
assert sorted(again.fields.labels) == ["added-later", "foreign-client-1"]
print("ok: edit, add a label")

for wrong in ["nosuchfield = 1", "labels ="]:
    try:
        client.search_issues(wrong)
        raise AssertionError("a search that makes no sense was answered")
    except JIRAError as error:
        assert error.status_code == 400, error
try:
    client.issue(f"{project}-999999")
    raise AssertionError("there is no such issue")
except JIRAError as error:
    assert error.status_code == 404 and error.text, error
print("ok: errors are read as Jira's: 400 with a message, 404")

issue.delete()
try:
    client.issue(issue.key)
    raise AssertionError("the issue is deleted")
except JIRAError as error:
    assert error.status_code == 404, error
print("ok: delete")
