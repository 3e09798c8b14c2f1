//! Paging, and which lists exist.

use crate::suite::check::checks;

checks! { "data-theorem/lists";
}
