//! Projects, products, libraries and tags.

use crate::suite::check::checks;

checks! { "mend/projects";
}
