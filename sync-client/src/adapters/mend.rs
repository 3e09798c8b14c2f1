//! Mend, over its issue tracker API.
