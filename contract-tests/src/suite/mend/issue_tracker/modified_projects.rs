//! `getOrganizationLastModifiedProjects`.

use crate::suite::check::checks;

checks! { "mend/modified-projects";
}
