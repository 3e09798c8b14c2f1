"""The library `atlassian-python-api`: create, read, search with page tokens, comment, transition."""

import os

from atlassian import Jira

project = os.environ["JIRA_PROJECT"]
client = Jira(
    url=os.environ["JIRA_BASE_URL"],
    username=os.environ["JIRA_EMAIL"],
    password=os.environ["JIRA_API_TOKEN"],
    cloud=True,
)

assert client.myself()["emailAddress"] == os.environ["JIRA_EMAIL"]
print("ok: who am I")

keys = []
for number in range(3):
    made = client.create_issue(
        fields={
            "project": {"key": project},
            "issuetype": {"name": "Bug"},
            "summary": f"Finding {number}",
            "description": "From a scan.",
            "labels": ["foreign-client-2"],
        }
    )
    keys.append(made["key"])
print("ok: create issues")

seen, token = [], None
while True:
    page = client.enhanced_jql(
        'labels = "foreign-client-2" ORDER BY created ASC', fields="summary,status", limit=2, nextPageToken=token
    )
    seen += [issue["key"] for issue in page["issues"]]
    assert all(issue["fields"]["status"]["statusCategory"]["key"] == "new" for issue in page["issues"])
    token = page.get("nextPageToken")
    if not token:
        break
assert seen == keys, (seen, keys)
print("ok: search in pages of two, with page tokens")

client.issue_add_comment(keys[0], "Fixed in 9.3.0.")
comments = client.issue_get_comments(keys[0])["comments"]
assert [one["body"] for one in comments] == ["Fixed in 9.3.0."]
print("ok: comment")

client.set_issue_status(keys[0], "Done", fields={"resolution": {"name": "Done"}})
assert client.get_issue_status(keys[0]) == "Done"
print("ok: transition by the name of the status")

for key in keys:
    client.delete_issue(key)
assert client.enhanced_jql('labels = "foreign-client-2"')["issues"] == []
print("ok: delete")
