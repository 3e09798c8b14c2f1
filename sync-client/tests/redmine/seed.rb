# What the tests need of a Redmine: the REST API, three users with known keys, a project, and custom fields of which one
# is as it should be. Safe to run again.

Setting.rest_api_enabled = '1'
# No mail is ever sent.
Setting.notified_events = []

def key_of(user, value)
  Token.where(user_id: user.id, action: 'api').delete_all
  Token.create!(user_id: user.id, action: 'api').update_columns(value: value)
end

def person(login, admin: false)
  user = User.find_by(login: login) || User.new(firstname: login.capitalize, lastname: 'Test', mail: "#{login}@example.invalid")
  user.login = login
  user.password = user.password_confirmation = SecureRandom.hex(16) if user.new_record?
  user.admin = admin
  user.must_change_passwd = false
  user.save!
  user
end

def role(name, permissions, like: nil)
  role = Role.find_by(name: name) || Role.new(name: name)
  role.permissions = permissions
  role.issues_visibility = 'all'
  role.save!
  role.copy_workflow_rules(like) if like
  role
end

manager = Role.find_by!(name: 'Manager')
may_sync = role('Sync', %i[view_issues add_issues edit_issues add_issue_notes], like: manager)
may_read = role('Reader', %i[view_issues])
# May edit, and may move no ticket to another status.
role('Stuck', %i[view_issues add_issues edit_issues add_issue_notes])

admin = person('admin', admin: true)
sync = person('sync')
reader = person('reader')
key_of(admin, ENV.fetch('REDMINE_ADMIN_KEY'))
key_of(sync, ENV.fetch('REDMINE_API_KEY'))
key_of(reader, ENV.fetch('REDMINE_READER_KEY'))

def field(name, is_filter: true, trackers: Tracker.all, is_for_all: true)
  field = IssueCustomField.find_by(name: name) || IssueCustomField.new(name: name, field_format: 'string')
  field.is_for_all = is_for_all
  field.is_filter = is_filter
  field.trackers = trackers
  field.save!
end

field('Sync key')
field('Key that no filter knows', is_filter: false)
field('Key of features', trackers: Tracker.where(name: 'Feature'))
field('Key of chosen projects', is_for_all: false)

project = Project.find_by(identifier: 'sec') || Project.new(name: 'Security', identifier: 'sec')
project.is_public = false
project.trackers = Tracker.all
project.enabled_module_names = ['issue_tracking']
project.save!
{ sync => may_sync, reader => may_read }.each do |user, role|
  next if project.memberships.where(user_id: user.id).exists?

  Member.create!(project: project, principal: user, roles: [role])
end
