//! What can stand between the client and a port: an odd world below, a broken client above.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::{
    BrokenOff, Change, Clock, Created, NewTicket, NoReply, Reply, Request, Ticket, Tracker, TrackerError,
    TrackerTraits, Transport,
};

use crate::carriers::boundary;

/// Stands between the client and its ports. Whatever is not overridden goes through.
pub(crate) trait Layer: Send + Sync {
    fn send(&self, under: &dyn Transport, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        under.send(request, timeout)
    }

    fn now(&self, under: &dyn Clock) -> Timestamp {
        under.now()
    }

    fn sleep(&self, under: &dyn Clock, duration: Duration) {
        under.sleep(duration);
    }

    fn traits(&self, under: &dyn Tracker) -> TrackerTraits {
        under.traits()
    }

    fn identify(&self, under: &dyn Tracker) -> Result<String, TrackerError> {
        under.identify()
    }

    fn find(&self, under: &dyn Tracker, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        under.find(op)
    }

    fn create(&self, under: &dyn Tracker, ticket: &NewTicket) -> Result<Created, TrackerError> {
        under.create(ticket)
    }

    fn get(&self, under: &dyn Tracker, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        under.get(key)
    }

    fn changed(&self, under: &dyn Tracker, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        under.changed(since)
    }

    fn update(&self, under: &dyn Tracker, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        under.update(key, change)
    }
}

/// A port with a layer over it.
pub(crate) struct Over<P: ?Sized> {
    pub(crate) under: Arc<P>,
    pub(crate) layer: Arc<dyn Layer>,
}

impl Transport for Over<dyn Transport> {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        self.layer.send(&*self.under, request, timeout)
    }
}

impl Clock for Over<dyn Clock> {
    fn now(&self) -> Timestamp {
        self.layer.now(&*self.under)
    }

    fn sleep(&self, duration: Duration) {
        self.layer.sleep(&*self.under, duration);
    }
}

impl Tracker for Over<dyn Tracker> {
    fn traits(&self) -> TrackerTraits {
        self.layer.traits(&*self.under)
    }

    fn identify(&self) -> Result<String, TrackerError> {
        self.layer.identify(&*self.under)
    }

    fn find(&self, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        self.layer.find(&*self.under, op)
    }

    fn create(&self, ticket: &NewTicket) -> Result<Created, TrackerError> {
        self.layer.create(&*self.under, ticket)
    }

    fn get(&self, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        self.layer.get(&*self.under, key)
    }

    fn changed(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError> {
        self.layer.changed(&*self.under, since)
    }

    fn update(&self, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff> {
        self.layer.update(&*self.under, key, change)
    }
}

macro_rules! one_call {
    ($($(#[$doc:meta])* $make:ident $name:ident: $method:ident($port:ident $(, $argument:ident: $type:ty)*) $(-> $answer:ty)?;)+) => {$(
        struct $name<F>(F);

        impl<F: Fn(&dyn $port $(, $type)*) $(-> $answer)? + Send + Sync> Layer for $name<F> {
            fn $method(&self, under: &dyn $port $(, $argument: $type)*) $(-> $answer)? {
                (self.0)(under $(, $argument)*)
            }
        }

        $(#[$doc])*
        pub(crate) fn $make(
            call: impl Fn(&dyn $port $(, $type)*) $(-> $answer)? + Send + Sync + 'static,
        ) -> Arc<dyn Layer> {
            Arc::new($name(call))
        }
    )+};
}

one_call! {
    /// Another way to send.
    on_send OnSend: send(Transport, request: &Request, timeout: Duration) -> Result<Reply, NoReply>;
    /// Another time.
    on_now OnNow: now(Clock) -> Timestamp;
    /// Another way to wait.
    on_sleep OnSleep: sleep(Clock, duration: Duration);
    /// Another idea of the tracker.
    on_traits OnTraits: traits(Tracker) -> TrackerTraits;
    /// Another proof of identity.
    on_identify OnIdentify: identify(Tracker) -> Result<String, TrackerError>;
    /// Another search.
    on_find OnFind: find(Tracker, op: &OpKey) -> Result<Vec<Ticket>, TrackerError>;
    /// Another way to make tickets.
    on_create OnCreate: create(Tracker, ticket: &NewTicket) -> Result<Created, TrackerError>;
    /// Another look at tickets.
    on_get OnGet: get(Tracker, key: &TicketKey) -> Result<Option<Ticket>, TrackerError>;
    /// Another list of what changed.
    on_changed OnChanged: changed(Tracker, since: Option<Timestamp>) -> Result<Vec<Ticket>, TrackerError>;
    /// Another way to change tickets.
    on_update OnUpdate: update(Tracker, key: &TicketKey, change: &Change) -> Result<Ticket, BrokenOff>;
}

/// Other replies, where they are JSON, to requests whose [`boundary`] begins like this.
pub(crate) fn on_reply(
    of: &'static str,
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Arc<dyn Layer> {
    on_send(move |under, request, timeout| {
        let mut reply = under.send(request, timeout)?;
        if boundary(request).starts_with(of)
            && let Ok(mut body) = serde_json::from_slice(&reply.body)
        {
            edit(&mut body);
            reply.body = body.to_string().into();
        }
        Ok(reply)
    })
}
