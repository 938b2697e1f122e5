//! Kubernetes quantities: `500m`, `2Gi`, `1e3`.

use sidestep_contract::units::Quantity;

/// Returns the value in thousandths, so that `100m` of a CPU is whole.
pub(crate) fn thousandths(text: &str) -> Option<i128> {
    Quantity::parse(text).map(|quantity| quantity.thousandths())
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn all_suffixes() {
        assert_eq!(thousandths("500m"), Some(500));
        assert_eq!(thousandths("2"), Some(2000));
        assert_eq!(thousandths("1Ki"), Some(1_024_000));
        assert_eq!(thousandths("1e3"), Some(1_000_000));
        assert!(thousandths("1Gi") > thousandths("1G"));
        for bad in ["", "x", "1X", "Gi"] {
            assert_eq!(thousandths(bad), None, "{bad}");
        }
    }
}
