// The library `jira.js` with its client of version 3: everything in Atlassian Document Format.

import assert from 'node:assert/strict';
import { Version3Client } from 'jira.js';

const { JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN, JIRA_PROJECT } = process.env;
const client = new Version3Client({
  host: JIRA_BASE_URL,
  authentication: { basic: { email: JIRA_EMAIL, apiToken: JIRA_API_TOKEN } },
});

const text = (line) => ({
  type: 'doc',
  version: 1,
  content: [{ type: 'paragraph', content: [{ type: 'text', text: line }] }],
});

const myself = await client.myself.getCurrentUser();
assert.equal(myself.emailAddress, JIRA_EMAIL);
console.log('ok: who am I');

const made = await client.issues.createIssue({
  fields: {
    project: { key: JIRA_PROJECT },
    issuetype: { name: 'Bug' },
    summary: 'A secret in the binary',
    description: text('It is in libapp.so.'),
    labels: ['foreign-client-3'],
  },
  properties: [{ key: 'sync', value: { target: '4567' } }],
});
const issue = await client.issues.getIssue({ issueIdOrKey: made.key });
assert.equal(issue.fields.description.content[0].content[0].text, 'It is in libapp.so.');
const property = await client.issueProperties.getIssueProperty({ issueIdOrKey: made.key, propertyKey: 'sync' });
assert.equal(property.value.target, '4567');
console.log('ok: create with a description and an entity property, and read both back');

const found = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearch({
  jql: 'labels = "foreign-client-3"',
  fields: ['summary'],
});
assert.deepEqual(found.issues.map((one) => one.key), [made.key]);
console.log('ok: search by label');

await client.issueComments.addComment({ issueIdOrKey: made.key, comment: text('Seen again.') });
const { comments } = await client.issueComments.getComments({ issueIdOrKey: made.key });
assert.equal(comments.length, 1);
assert.equal(comments[0].author.accountId, myself.accountId);
console.log('ok: comment, by me');

const { transitions } = await client.issues.getTransitions({ issueIdOrKey: made.key });
const done = transitions.find((one) => one.to.statusCategory.key === 'done');
await client.issues.doTransition({
  issueIdOrKey: made.key,
  transition: { id: done.id },
  fields: { resolution: { name: 'Done' } },
});
const closed = await client.issues.getIssue({ issueIdOrKey: made.key, fields: ['status'] });
assert.equal(closed.fields.status.statusCategory.key, 'done');
console.log('ok: transition by the category of the target status');

await assert.rejects(client.issues.getIssue({ issueIdOrKey: `${JIRA_PROJECT}-999999` }), (error) => {
  assert.equal(error.response?.status ?? error.status, 404);
  return true;
});
console.log('ok: an issue that is not there is a 404');

await client.issues.deleteIssue({ issueIdOrKey: made.key });
console.log('ok: delete');
