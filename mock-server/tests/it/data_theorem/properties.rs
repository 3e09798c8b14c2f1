//! The simulator against the naive model: random worlds, random queries, random operations.

use fixtures::spec;
use fixtures::strategies::{event_sequences, finding_queries, target_queries, worlds};
use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::Event;
use fixtures::world::data_theorem::{Platform, ReleaseType, Subscription, TargetStatus};
use jiff::{SignedDuration, Timestamp};
use mock_server::MockServer;
use mock_server::kernel::journal::Filter;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::model::{AppQuery, Created, Operation, Place, Query, StatusModel};
use crate::support::{Api, block_on, proptest_cases};

const ACCEPTED: [TargetStatus; 4] = [
    TargetStatus::Open,
    TargetStatus::ClosedWontFix,
    TargetStatus::ClosedRiskAccepted,
    TargetStatus::ClosedCompensatingControl,
];

fn api(world: &WorldSpec, page_size: usize, ascending: bool) -> Api {
    let order = if ascending { "updated-ascending" } else { "updated-descending" };
    let builder = MockServer::builder().world_spec(world.clone()).page_size(page_size);
    Api::with(builder.reading("dt.list-order", order).unwrap())
}

fn app_queries(world: &WorldSpec) -> BoxedStrategy<Query> {
    let dates: Vec<Timestamp> =
        world.data_theorem.mobile_apps.iter().map(|app| app.results_last_updated).collect();
    let words = ["NO_SCANS_INITIATED", "SCAN_ONGOING", "SCAN_COMPLETED"];
    let near = (select(dates), -1..=1_i64)
        .prop_map(|(date, step)| date.checked_add(SignedDuration::from_micros(step)).unwrap());
    // Of the release types only these two are documented as values of the filter.
    let release_type = select(vec![ReleaseType::AppStore, ReleaseType::PreProd]);
    (
        option::of(select(Platform::ALL)),
        option::of(release_type),
        option::of(select(words.to_vec())),
        vec(select(Subscription::ALL), 0..3),
        option::of(near),
    )
        .prop_map(|(platform, release_type, scan_status, subscriptions, results_since)| {
            Query::Apps(AppQuery { platform, release_type, scan_status, subscriptions, results_since })
        })
        .boxed()
}

fn queries(world: &WorldSpec) -> impl Strategy<Value = Query> + use<> {
    prop_oneof![
        3 => target_queries(world).prop_map(Query::Targets),
        2 => finding_queries(world).prop_map(Query::Findings),
        2 => app_queries(world),
    ]
}

fn path_of(query: &Query) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(query.parameters());
    format!("{}?{}", query.list(), text.finish())
}

/// What one page says: ids, total and the cursor of the next page.
fn read_page(page: &Value, key: &str) -> (Vec<String>, usize, Option<String>) {
    let ids =
        page[key].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let information = &page["pagination_information"];
    let total = information["total_count"].as_str().unwrap().parse().unwrap();
    (ids, total, information["next_cursor"].as_str().map(str::to_owned))
}

async fn list(api: &Api, query: &Query, page_size: usize, repeat_filters: bool) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut totals) = (Vec::new(), Vec::new());
    let mut path = path_of(query);
    loop {
        let (page, total, cursor) = read_page(&api.get(&path).await.ok(), query.list());
        let full = page.len() == page_size;
        ids.extend(page);
        totals.push(total);
        let Some(cursor) = cursor else { return (ids, totals) };
        assert!(full, "only the last page may be short");
        let base = if repeat_filters { path_of(query) } else { format!("{}?", query.list()) };
        path = format!("{base}&cursor={cursor}");
    }
}

proptest! {
    #![proptest_config(proptest_cases(24))]

    /// DT-LIST-TOTAL-COUNT
    #[test]
    fn lists_agree_with_brute_force(
        (world, queries) in worlds().prop_flat_map(|world| (Just(world.clone()), vec(queries(&world), 1..8))),
        page_size in 1..=5_usize,
        ascending in any::<bool>(),
        repeat_filters in any::<bool>(),
        key in select(vec!["sync", "one-app"]),
    ) {
        block_on(async {
            let api = api(&world, page_size, ascending).key_named(key);
            let world = api.control().export_world();
            for query in &queries {
                let Ok(mut expected) = query.rows(&world, key) else {
                    assert_eq!(api.get(&path_of(query)).await.status, 403, "{query:?}");
                    continue;
                };
                if !ascending {
                    expected.reverse();
                }
                let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
                let (ids, totals) = list(&api, query, page_size, repeat_filters).await;
                assert_eq!(ids, expected, "{query:?}");
                assert!(totals.iter().all(|total| *total == expected.len()), "{query:?}: {totals:?}");
            }
        });
    }

    #[test]
    fn rows_that_stay_where_they_are_are_listed_exactly_once_while_others_move(
        (world, query, events) in worlds().prop_flat_map(|world| {
            (Just(world.clone()), queries(&world), event_sequences(&world, 12))
        }),
        requests in vec((any::<Index>(), select(ACCEPTED.to_vec()), 0..3_u8), 12),
        page_size in 1..=4_usize,
        ascending in any::<bool>(),
    ) {
        block_on(async {
            let api = api(&world, page_size, ascending);
            let place_now = || query.rows(&api.control().export_world(), "sync").unwrap();
            let mut unmoved: Vec<Place> = place_now();
            let mut seen = Vec::new();
            let mut writes = events.iter().zip(&requests);
            let mut path = path_of(&query);
            loop {
                let (page, _, cursor) = read_page(&api.get(&path).await.ok(), query.list());
                seen.extend(page);
                let Some(cursor) = cursor else { break };
                path = format!("{}?cursor={cursor}", query.list());
                let Some((event, (target, status, step))) = writes.next() else { continue };
                api.control().advance(SignedDuration::from_millis(i64::from(*step)));
                if matches!(event, Event::ApiKeyRevoked { .. }) {
                    continue;
                }
                api.control().happen(event).unwrap();
                let target = &target.get(&ids_of_targets(&world)).clone();
                let body = json!({"status": status, "reason": "Meanwhile."});
                let _ = api.post(&format!("security_finding_targets/{target}/statuses"), body).await;
                let body = json!({"external_id": "SEC-9"});
                let _ = api.patch(&format!("security_finding_targets/{target}"), body).await;
                let places = place_now();
                unmoved.retain(|place| places.binary_search(place).is_ok());
            }
            for (_, id) in &unmoved {
                let times = seen.iter().filter(|other| *other == id).count();
                assert_eq!(times, 1, "row {id} of {query:?} in {seen:?}");
            }
        });
    }
}

fn ids_of_targets(world: &WorldSpec) -> Vec<String> {
    let targets = &world.data_theorem.security_finding_targets;
    let ids: Vec<String> = targets.iter().map(|target| target.id.clone()).collect();
    if ids.is_empty() { vec!["404".to_owned()] } else { ids }
}

fn ids_of_findings(world: &WorldSpec) -> Vec<String> {
    let findings = &world.data_theorem.security_findings;
    let ids: Vec<String> = findings.iter().map(|finding| finding.id.clone()).collect();
    if ids.is_empty() { vec!["404".to_owned()] } else { ids }
}

fn requests(world: &WorldSpec) -> impl Strategy<Value = Operation> + use<> {
    let (targets, findings) = (ids_of_targets(world), ids_of_findings(world));
    let closes = ACCEPTED[1..].to_vec();
    let ticket = |value: Value| json!({"external_id": value});
    let tickets = vec![
        json!({}),
        ticket(Value::Null),
        ticket(json!("")),
        ticket(json!("SEC-1")),
        ticket(json!("SEC-2")),
    ];
    prop_oneof![
        6 => (select(targets.clone()), select(ACCEPTED.to_vec()), any::<bool>())
            .prop_map(|(target, status, reason)| Operation::Status { target, status, reason }),
        3 => (select(findings.clone()), select(closes), any::<bool>())
            .prop_map(|(finding, status, permanently)| Operation::Close { finding, status, permanently }),
        3 => (select(targets), select(tickets)).prop_map(|(target, body)| Operation::ExternalId { target, body }),
        1 => select(findings).prop_map(|finding| Operation::Note { finding }),
        1 => (0..5_000_i64).prop_map(|ms| Operation::Advance { ms }),
    ]
}

/// Requests and events, mixed; the events stay in the order in which they apply.
fn operations(world: &WorldSpec) -> impl Strategy<Value = Vec<Operation>> + use<> {
    (vec(requests(world), 0..30), event_sequences(world, 8), vec(any::<Index>(), 8)).prop_map(
        |(mut operations, events, places)| {
            let mut place = operations.len();
            for (event, index) in events.into_iter().rev().zip(places) {
                place = index.index(place + 1);
                operations.insert(place, Operation::Event(event));
            }
            operations
        },
    )
}

/// Sends an operation and returns the status code; what an event created goes into the second value.
async fn perform(api: &Api, operation: &Operation) -> (u16, Created) {
    let mut created = Created { findings: Vec::new(), targets: Vec::new() };
    let reply = match operation {
        Operation::Status { target, status, reason } => {
            let path = format!("security_finding_targets/{target}/statuses");
            let reason = reason.then_some("Because.");
            api.post(&path, json!({"status": status, "reason": reason})).await
        }
        Operation::Close { finding, status, permanently } => {
            let path = format!("security_findings/{finding}/close");
            let body = json!({
                "aggregated_status": status, "reason": "Because.", "is_permanently_closed": permanently,
            });
            api.post(&path, body).await
        }
        Operation::ExternalId { target, body } => {
            let path = format!("security_finding_targets/{target}");
            api.patch(&path, body.clone()).await
        }
        Operation::Note { finding } => {
            api.post(&format!("security_findings/{finding}/notes"), json!({"text": "A note."})).await
        }
        Operation::Event(event) => {
            let effects = api.control().happen(event).unwrap();
            created = Created { findings: effects.created_findings, targets: effects.created_targets };
            return (0, created);
        }
        Operation::Advance { ms } => {
            api.control().advance(SignedDuration::from_millis(*ms));
            return (0, created);
        }
    };
    (reply.status, created)
}

fn expected(model: &mut StatusModel, operation: &Operation, created: Created) -> u16 {
    match operation {
        Operation::Status { target, status, reason } => model.post_status(target, *status, *reason),
        Operation::Close { finding, status, permanently } => model.close(finding, *status, *permanently),
        Operation::ExternalId { target, body } => model.patch(target, body),
        Operation::Note { finding } => model.note(finding),
        Operation::Event(event) => {
            model.happen(event, created);
            0
        }
        Operation::Advance { .. } => 0,
    }
}

async fn assert_shows(api: &Api, model: &StatusModel) {
    let (_, findings, targets) = api.control().sizes();
    assert_eq!((findings, targets), (model.findings.len(), model.targets.len()));
    for (id, row) in &model.targets {
        let shown = api.get(&format!("security_finding_targets/{id}")).await.ok();
        let statuses: Vec<&str> = row.statuses.iter().map(|status| status.as_str()).collect();
        let entries = shown["statuses"].as_array().unwrap();
        let entries: Vec<&str> = entries.iter().map(|entry| entry["status"].as_str().unwrap()).collect();
        assert_eq!(entries, statuses, "target {id}");
        assert_eq!(shown["current_status"], statuses[0], "target {id}");
        assert_eq!(shown["external_id"].as_str(), row.external_id.as_deref(), "target {id}");
    }
    for (id, row) in &model.findings {
        let shown = api.get(&format!("security_findings/{id}")).await.ok();
        assert_eq!(shown["aggregated_status"], model.aggregated(id).as_str(), "finding {id}");
        assert_eq!(shown["notes"].as_array().map_or(0, Vec::len), row.notes, "finding {id}");
    }
}

proptest! {
    #![proptest_config(proptest_cases(24))]

    /// DT-TARGET-STATUS-SAME, DT-FINDING-AGGREGATED-STATUS, DT-TARGET-CURRENT-STATUS
    #[test]
    fn any_operations_leave_the_statuses_that_the_model_says(
        (world, operations) in worlds().prop_flat_map(|world| (Just(world.clone()), operations(&world)))
    ) {
        block_on(async {
            let api = api(&world, 5, false);
            let mut model = StatusModel::of(&world);
            let mut revoked = false;
            for operation in &operations {
                if let Operation::Event(Event::ApiKeyRevoked { name }) = operation {
                    revoked |= name == "sync";
                }
                let (status, created) = perform(&api, operation).await;
                if status == 401 && revoked {
                    continue;
                }
                assert_eq!(status, expected(&mut model, operation, created), "{operation:?}");
                assert_eq!(api.control().export_world().validate(), [], "{operation:?}");
            }
            if !revoked {
                assert_shows(&api, &model).await;
            }
            let exported = api.control().export_world();
            let loaded = MockServer::builder().world_spec(exported.clone()).in_process().unwrap();
            assert_eq!(loaded.control().export_world(), exported);
        });
    }

    #[test]
    fn the_same_requests_in_the_same_order_give_the_same_journal(
        (world, operations) in worlds().prop_flat_map(|world| (Just(world.clone()), operations(&world))),
        seed in any::<u64>(),
    ) {
        let journal = || block_on(async {
            let api = Api::with(MockServer::builder().world_spec(world.clone()).seed(seed).page_size(2));
            for operation in &operations {
                let _ = perform(&api, operation).await;
                let page = api.get("security_finding_targets?no_such=1").await;
                if page.status == 200
                    && let (_, _, Some(cursor)) = read_page(&page.json(), "security_finding_targets")
                {
                    let _ = api.get(&format!("security_finding_targets?cursor={cursor}")).await;
                }
            }
            let owned = api.control().journal(&Filter::default());
            let unclaimed = api.server.unclaimed(&Filter::default());
            (serde_json::to_string(&owned).unwrap(), serde_json::to_string(&unclaimed).unwrap())
        });
        prop_assert_eq!(journal(), journal());
    }

    #[test]
    fn the_world_is_exported_alike_under_every_reading(
        (world, operations) in worlds().prop_flat_map(|world| (Just(world.clone()), operations(&world))),
        choices in vec((any::<Index>(), any::<Index>()), 1..12),
    ) {
        block_on(async {
            let api = api(&world, 5, false);
            for operation in &operations {
                let _ = perform(&api, operation).await;
            }
            let exported = api.control().export_world();
            let readings: Vec<_> = spec::readings().filter(|reading| reading.id.starts_with("dt.")).collect();
            for (reading, value) in choices {
                let reading = reading.get(&readings);
                let value = value.get(reading.values).value;
                api.control().set_readings([(reading.id, value)]).unwrap();
                assert_eq!(api.control().export_world(), exported, "{}={value}", reading.id);
            }
        });
    }
}
