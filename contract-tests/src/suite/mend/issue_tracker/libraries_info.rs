//! `getProjectLibrariesInfo`.

use crate::suite::check::checks;

checks! { "mend/libraries-info";
}
