//! Organizations, their products and groups as the vendor writes them.
//!
//! All keys but those of a group follow captured answers. Of groups a client of the vendor shows that they stand
//! under `groups` and have a `name`; `id` is our assumption.

use fixtures::world::mend::{GroupSpec, OrganizationSpec, ProductSpec};
use serde::Serialize;

use super::dates;
use crate::vendors::mend::readings::Readings;

/// What an organization is and how much is in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationDetails<'a> {
    org_name: &'a str,
    org_token: &'a str,
    creation_date: String,
    number_of_products: usize,
    number_of_projects: usize,
    number_of_users: usize,
    number_of_groups: usize,
}

/// How much is in an organization.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Products.
    pub products: usize,
    /// Projects of all products.
    pub projects: usize,
    /// Users that belong to it.
    pub users: usize,
    /// Groups of users.
    pub groups: usize,
}

/// The details of an organization.
pub fn details(spec: &OrganizationSpec, sizes: Sizes) -> OrganizationDetails<'_> {
    OrganizationDetails {
        org_name: &spec.name,
        org_token: &spec.token,
        creation_date: dates::day(spec.creation_date),
        number_of_products: sizes.products,
        number_of_projects: sizes.projects,
        number_of_users: sizes.users,
        number_of_groups: sizes.groups,
    }
}

/// The groups of an organization.
#[derive(Debug, Serialize)]
pub struct Groups<'a> {
    /// All of them.
    pub groups: Vec<Group<'a>>,
}

/// A group of users.
#[derive(Debug, Serialize)]
pub struct Group<'a> {
    id: u64,
    name: &'a str,
}

/// A group.
pub fn group(spec: &GroupSpec) -> Group<'_> {
    Group { id: spec.id, name: &spec.name }
}

/// The products of an organization.
#[derive(Debug, Serialize)]
pub struct Products<'a> {
    /// All of them.
    pub products: Vec<Product<'a>>,
    /// `Success`.
    pub message: &'static str,
}

/// A product in a list.
#[derive(Debug, Serialize)]
pub struct Product<'a> {
    #[serde(rename = "productId")]
    id: u64,
    #[serde(rename = "productName")]
    name: &'a str,
    #[serde(rename = "productToken")]
    token: &'a str,
}

/// A product as an element of a list.
pub fn product(spec: &ProductSpec) -> Product<'_> {
    Product { id: spec.id, name: &spec.name, token: &spec.token }
}

/// The vitals of an organization's products.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductVitals<'a> {
    /// One for each product.
    pub product_vitals: Vec<Vitals<'a>>,
}

/// The vitals of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vitals<'a> {
    id: u64,
    name: &'a str,
    token: &'a str,
    creation_date: String,
    last_updated_date: String,
}

/// The vitals of a product.
pub fn vitals<'a>(spec: &'a ProductSpec, readings: &Readings) -> Vitals<'a> {
    Vitals {
        id: spec.id,
        name: &spec.name,
        token: &spec.token,
        creation_date: dates::vitals(spec.creation_date, readings),
        last_updated_date: dates::vitals(spec.last_updated_date, readings),
    }
}
