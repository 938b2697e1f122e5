//! Conversions between the records of Google's clients and those of the contract.

use google_cloud_wkt as wkt;

/// Converts a time of Google's clients to milliseconds since 1970.
pub fn wkt_milliseconds(time: wkt::Timestamp) -> u64 {
    let milliseconds = time.seconds() * 1000 + i64::from(time.nanos()) / 1_000_000;
    u64::try_from(milliseconds).unwrap_or(0)
}

/// Returns a text unless it is empty: Google's APIs send a missing value as empty, or omit it.
pub fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Returns an enum's value as in the API; empty if none is set (`…_UNSPECIFIED`, AIP-126).
pub fn value(name: Option<&str>) -> String {
    name.filter(|name| !name.ends_with("_UNSPECIFIED"))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_empty() {
        assert_eq!(value(Some("RUNNING")), "RUNNING");
        assert_eq!(value(Some("STATUS_UNSPECIFIED")), "");
        assert_eq!(value(None), "");
        assert_eq!(filled(String::new()), None);
    }

    #[test]
    fn a_time_before_1970_is_no_huge_number() {
        let time = |seconds| wkt::Timestamp::clamp(seconds, 999_000_000);
        assert_eq!(wkt_milliseconds(time(1)), 1999);
        assert_eq!(wkt_milliseconds(time(-5)), 0);
    }
}
