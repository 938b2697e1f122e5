//! The addresses of a GKE cluster's API server, and which of them to use.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use sidestep_google::ApiServer;

/// The time that an address has before the next one is tried as well. Addresses that a firewall
/// drops packets to never answer.
const HEAD_START: Duration = Duration::from_secs(2);

/// The operator's choice of a GKE cluster's endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// The first one that answers. The DNS endpoint is tried only if it is open to requests from
    /// outside of Google: otherwise Google's frontend answers with 403.
    #[default]
    Auto,
    /// The address on the internet.
    Public,
    /// The address in the cluster's network.
    Private,
    /// The name that Google's frontend serves.
    Dns,
}

/// The kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Public,
    Dns,
    Private,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Dns => "DNS",
            Self::Private => "private",
        })
    }
}

/// An address that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) way: Way,
    /// The host, with a port if it has one.
    pub(super) host: String,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} endpoint {}", self.way, self.host)
    }
}

impl Endpoint {
    /// Returns the addresses to try, the preferred one first.
    pub(super) fn candidates(self, server: &ApiServer) -> Vec<Candidate> {
        let public = || of(Way::Public, server.public.as_deref());
        let private = || of(Way::Private, server.private.as_deref());
        let dns = |needs_open: bool| {
            let dns = server.dns.as_ref();
            let dns = dns.filter(|dns| dns.is_open || !needs_open);
            of(Way::Dns, dns.map(|dns| dns.host.as_str()))
        };
        let found = match self {
            Self::Auto => vec![public(), dns(true), private()],
            Self::Public => vec![public()],
            Self::Private => vec![private()],
            Self::Dns => vec![dns(false)],
        };
        found.into_iter().flatten().collect()
    }
}

fn of(way: Way, host: Option<&str>) -> Option<Candidate> {
    let host = host.filter(|host| !host.is_empty())?.to_owned();
    Some(Candidate { way, host })
}

/// Tries the candidates, each a little after the one before it or at once when one fails, and
/// returns the first success, or all failures in the candidates' order.
pub(super) async fn first<T, E, F: Future<Output = Result<T, E>>>(
    candidates: &[Candidate],
    attempt: impl Fn(Candidate) -> F,
) -> Result<T, Vec<E>> {
    let mut waiting = candidates.iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some((at, candidate)) = waiting.next() {
            let attempt = attempt(candidate.clone());
            running.push(async move { (at, attempt.await) });
        }
        let ended = if waiting.len() == 0 {
            running.next().await
        } else {
            let ended = tokio::time::timeout(HEAD_START, running.next()).await;
            match ended {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some((_, Ok(found))) => return Ok(found),
            Some((at, Err(why))) => failed.push((at, why)),
            None => break,
        }
    }
    failed.sort_by_key(|(at, _)| *at);
    Err(failed.into_iter().map(|(_, why)| why).collect())
}

#[cfg(test)]
mod tests {
    use sidestep_google::DnsEndpoint;
    use tokio::time::{Instant, sleep};

    use super::*;

    fn server(is_open: bool) -> ApiServer {
        ApiServer {
            public: Some("34.1.2.3".to_owned()),
            private: Some("10.0.0.2".to_owned()),
            dns: Some(DnsEndpoint {
                host: "gke-1.europe-west1.gke.goog".to_owned(),
                is_open,
            }),
            authority: String::new(),
        }
    }

    #[test]
    fn each_choice_has_its_addresses() {
        let ways = |choice: Endpoint, server: &ApiServer| -> Vec<Way> {
            let found = choice.candidates(server);
            found.iter().map(|candidate| candidate.way).collect()
        };
        let (open, closed, none) = (server(true), server(false), ApiServer::default());
        assert_eq!(
            ways(Endpoint::Auto, &open),
            [Way::Public, Way::Dns, Way::Private]
        );
        assert_eq!(ways(Endpoint::Auto, &closed), [Way::Public, Way::Private]);
        assert_eq!(ways(Endpoint::Dns, &closed), [Way::Dns]);
        assert_eq!(ways(Endpoint::Public, &open), [Way::Public]);
        assert_eq!(ways(Endpoint::Private, &open), [Way::Private]);
        for choice in [
            Endpoint::Auto,
            Endpoint::Public,
            Endpoint::Private,
            Endpoint::Dns,
        ] {
            assert_eq!(ways(choice, &none), []);
        }
    }

    /// Tries all three addresses; `answers` says after how many seconds each answers, and whether
    /// it can be used. Returns the one that is used, and the seconds until then.
    async fn try_all(answers: [(u64, bool); 3]) -> (Result<Way, Vec<Way>>, u64) {
        let candidates = Endpoint::Auto.candidates(&server(true));
        let began = Instant::now();
        let found = first(&candidates, |candidate| async move {
            let (after, works) = answers[match candidate.way {
                Way::Public => 0,
                Way::Dns => 1,
                Way::Private => 2,
            }];
            sleep(Duration::from_secs(after)).await;
            if works {
                Ok(candidate.way)
            } else {
                Err(candidate.way)
            }
        });
        (found.await, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_that_answers_is_used() {
        // The preferred one answers at once: no other is tried.
        assert_eq!(try_all([(0, true); 3]).await, (Ok(Way::Public), 0));
        // A refusal is followed by the next at once.
        let refused = [(0, false), (0, true), (0, true)];
        assert_eq!(try_all(refused).await, (Ok(Way::Dns), 0));
        // A silent address is left behind, and may still win.
        let silent = [(60, false), (1, true), (0, true)];
        assert_eq!(try_all(silent).await, (Ok(Way::Dns), 3));
        let slow = [(3, true), (60, true), (60, true)];
        assert_eq!(try_all(slow).await, (Ok(Way::Public), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn all_failures_are_returned_in_order() {
        let all = vec![Way::Public, Way::Dns, Way::Private];
        let found = try_all([(10, false), (5, false), (0, false)]).await;
        assert_eq!(found, (Err(all), 10));
    }
}
