//! Denials by VPC Service Controls.

/// Google's name for the identifier of such a denial.
const IDENTIFIER: &str = "vpcServiceControlsUniqueIdentifier";

/// Returns whether a service perimeter caused a refusal. No role can prevent it
/// (<https://cloud.google.com/vpc-service-controls/docs/troubleshooting>).
pub fn is_perimeter(message: &str) -> bool {
    message.contains(IDENTIFIER) || message.contains("prohibited by organization's policy")
}
