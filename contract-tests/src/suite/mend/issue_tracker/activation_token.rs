//! `getIntegrationActivationToken`.

use crate::suite::check::checks;

checks! { "mend/activation-token";
}
