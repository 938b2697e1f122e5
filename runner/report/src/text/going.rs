use sidestep_events::{Going, show};

/// Returns a message that an object is being deleted: which one, and by when at the latest.
pub fn going(object: &Going) -> String {
    let uid = show::line(&object.uid);
    match object.until {
        Some(until) => format!("being removed (uid {uid}, until {until:.0})"),
        None => format!("being removed (uid {uid})"),
    }
}
