//! What is in an organization: its products and groups, and how many of everything.
#![expect(clippy::unnecessary_wraps, reason = "the table has handlers of one form")]

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::organizations::{
    Groups, ProductVitals, Products, Sizes, details, group, product, vitals,
};

/// A user counts who belongs to the organization; a global administrator belongs to none.
pub(super) fn get_organization_details(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Organization(id) = call.scope else { return Ok(b"{}".to_vec()) };
    let Some(organization) = account.store.organization(id) else { return Ok(b"{}".to_vec()) };
    let is_own = |token: &Option<String>| token.as_ref() == Some(&organization.token);
    let sizes = Sizes {
        products: account.store.products_of(id).count(),
        projects: account.store.projects_of_organization(id).count(),
        users: account.users.iter().filter(|user| is_own(&user.spec.organization_token)).count(),
        groups: account.store.groups(&organization.token).count(),
    };
    Ok(wire::body(&details(organization, sizes)))
}

/// The groups of an organization.
pub(super) fn get_all_groups(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Organization(id) = call.scope else { return Ok(b"{}".to_vec()) };
    let Some(organization) = account.store.organization(id) else { return Ok(b"{}".to_vec()) };
    let mut groups: Vec<_> = account.store.groups(&organization.token).collect();
    order::arrange(&mut groups, |group| group.id.to_string(), call.readings);
    Ok(wire::body(&Groups { groups: groups.into_iter().map(group).collect() }))
}

/// The products of an organization.
pub(super) fn get_all_products(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let Scope::Organization(id) = call.scope else { return Ok(b"{}".to_vec()) };
    let mut products: Vec<_> = account.store.products_of(id).collect();
    order::arrange(&mut products, |product| product.spec.token.as_str(), call.readings);
    let products = products.into_iter().map(|row| product(&row.spec)).collect();
    Ok(wire::body(&Products { products, message: "Success" }))
}

/// The vitals of an organization's products.
pub(super) fn get_organization_product_vitals(
    account: &Account,
    call: &Call<'_>,
) -> Result<Vec<u8>, Refused> {
    let Scope::Organization(id) = call.scope else { return Ok(b"{}".to_vec()) };
    let mut products: Vec<_> = account.store.products_of(id).collect();
    order::arrange(&mut products, |product| product.spec.token.as_str(), call.readings);
    let product_vitals = products.into_iter().map(|row| vitals(&row.spec, call.readings)).collect();
    Ok(wire::body(&ProductVitals { product_vitals }))
}
