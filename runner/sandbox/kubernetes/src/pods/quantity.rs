//! Kubernetes quantities: `500m`, `2Gi`, `1e3`.

/// The value in thousandths, so that `100m` of a CPU is whole.
pub(crate) fn thousandths(text: &str) -> Option<i128> {
    let split = text
        .find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let value: f64 = number.parse().ok()?;
    let factor: f64 = match suffix {
        "" => 1.0,
        "m" => 0.001,
        "u" => 1e-6,
        "n" => 1e-9,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        other => {
            let exponent: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            10.0_f64.powi(exponent)
        }
    };
    let thousandths = (value * factor * 1000.0).ceil();
    // Quantities fit by far: the API's largest is 2^63.
    #[allow(clippy::cast_possible_truncation)]
    thousandths.is_finite().then_some(thousandths as i128)
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
