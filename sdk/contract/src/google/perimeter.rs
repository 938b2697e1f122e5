//! Denials by VPC Service Controls.

/// What Google names the identifier of such a denial.
const IDENTIFIER: &str = "vpcServiceControlsUniqueIdentifier";

/// Returns whether a refusal is that of a service perimeter: no role helps against it
/// (<https://cloud.google.com/vpc-service-controls/docs/troubleshooting>).
pub fn is_perimeter(message: &str) -> bool {
    message.contains(IDENTIFIER) || message.contains("prohibited by organization's policy")
}
