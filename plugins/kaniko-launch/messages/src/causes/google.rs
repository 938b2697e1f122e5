//! Identity and permissions, in the words of Google's clients and services.

use super::{IN_CONTEXT, PUSHING, REMOTE, cause};
use crate::cause::Cause;
use crate::kind::Kind::{
    self, AccountGone, ApiDisabled, BindingMissing, ContextDenied, ContextMissing, ContextRefused,
    KeyRefused, MetadataAway, NoIdentity, Perimeter, PushAnonymous, ServiceAway,
};

// cloud.google.com/go/auth and cloud.google.com/go/compute/metadata word the errors of tokens,
// google.golang.org/api/googleapi and cloud.google.com/go/storage those of Cloud Storage. RFC 6749,
// 5.2, has `invalid_grant`.
pub(super) const CAUSES: &[Cause] = &[
    cause(REMOTE, KeyRefused, "auth: \"invalid_grant\" \"{}\""),
    cause(
        REMOTE,
        KeyRefused,
        "auth: cannot fetch token: *\"invalid_grant\"*\"error_description\"*\"{}\"",
    ),
    cause(
        REMOTE,
        KeyRefused,
        "auth: cannot fetch token: *\"invalid_grant\"",
    ),
    cause(
        REMOTE,
        NoIdentity,
        "credentials: could not find default credentials",
    ),
    cause(
        REMOTE,
        ApiDisabled,
        "compute: Received 403 *API has not been used in project {} before",
    ),
    cause(
        REMOTE,
        BindingMissing,
        "compute: Received 403 `*Permission 'iam.serviceAccounts.getAccessToken' denied",
    ),
    cause(
        REMOTE,
        AccountGone,
        "metadata: GCE metadata \"instance/service-accounts/default/token*\" not defined",
    ),
    cause(REMOTE, MetadataAway, "compute: Received 5"),
    cause(
        REMOTE,
        MetadataAway,
        "credentials: cannot fetch token: Get \"http://169.254.169.254",
    ),
    cause(
        REMOTE,
        MetadataAway,
        "credentials: cannot fetch token: Get \"http://metadata.google.internal",
    ),
    cause(
        REMOTE,
        Perimeter,
        "*Request is prohibited by organization's policy",
    ),
    cause(
        REMOTE,
        ApiDisabled,
        "*API has not been used in project {} before",
    ),
    cause(
        IN_CONTEXT,
        NoIdentity,
        "googleapi: got HTTP response code *Anonymous caller does not have",
    ),
    cause(
        IN_CONTEXT,
        ContextDenied,
        "googleapi: got HTTP response code 403 with body: *<Details>{} does not have storage.objects.get access",
    ),
    cause(
        IN_CONTEXT,
        ContextRefused,
        "googleapi: got HTTP response code 40{}",
    ),
    cause(IN_CONTEXT, ContextMissing, "storage: object doesn't exist"),
    cause(IN_CONTEXT, ContextMissing, "storage: bucket doesn't exist"),
    cause(
        IN_CONTEXT,
        ServiceAway,
        "googleapi: got HTTP response code 5",
    ),
    cause(
        IN_CONTEXT,
        ServiceAway,
        "googleapi: got HTTP response code 429",
    ),
    cause(PUSHING, PushAnonymous, "Unauthenticated request"),
];

pub(super) const EXAMPLES: &[(&str, i64, Kind)] = &[
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": auth: \"invalid_grant\" \"Invalid JWT Signature.\"",
        1,
        KeyRefused,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": auth: cannot fetch token: 400\nResponse: {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
        1,
        KeyRefused,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": auth: cannot fetch token: 400\nResponse: {\"error\":\"invalid_grant\"}",
        1,
        KeyRefused,
    ),
    (
        "Error: error resolving source context: dialing: credentials: could not find default credentials. See https://cloud.google.com/docs/authentication/external/set-up-adc for more information",
        1,
        NoIdentity,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: compute: Received 403 `Unable to generate access token; IAM returned 403 Forbidden: IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project=123456789012 then retry.`",
        1,
        ApiDisabled,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: compute: Received 403 `Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).`",
        1,
        BindingMissing,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: metadata: GCE metadata \"instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\" not defined",
        1,
        AccountGone,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: compute: Received 500 `Unable to generate access token`",
        1,
        MetadataAway,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: Get \"http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token\": dial tcp 169.254.169.254:80: i/o timeout",
        1,
        MetadataAway,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": credentials: cannot fetch token: Get \"http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token\": context deadline exceeded",
        1,
        MetadataAway,
    ),
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": POST https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/: DENIED: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: a1B2c3",
        1,
        Perimeter,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 403 with body: <?xml version='1.0' encoding='UTF-8'?><Error><Code>SecurityPolicyViolated</Code><Message>Request violates VPC Service Controls.</Message><Details>Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: a1B2c3</Details></Error>",
        1,
        Perimeter,
    ),
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": POST https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/: DENIED: Artifact Registry API has not been used in project 123456789012 before or it is disabled.",
        1,
        ApiDisabled,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 401 with body: <?xml version='1.0' encoding='UTF-8'?><Error><Code>AuthenticationRequired</Code><Details>Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object.</Details></Error>",
        1,
        NoIdentity,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 403 with body: <?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>Access denied.</Message><Details>builder@demo.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object.</Details></Error>",
        1,
        ContextDenied,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 403 with body: <?xml version='1.0' encoding='UTF-8'?><Error><Code>AccountProblem</Code><Message>The project to be billed is associated with a closed billing account.</Message></Error>",
        1,
        ContextRefused,
    ),
    (
        "Error: error resolving source context: storage: object doesn't exist",
        1,
        ContextMissing,
    ),
    (
        "Error: error resolving source context: storage: bucket doesn't exist",
        1,
        ContextMissing,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 503 with body: Service Unavailable",
        1,
        ServiceAway,
    ),
    (
        "Error: error resolving source context: googleapi: got HTTP response code 429 with body: <Error><Code>SlowDown</Code></Error>",
        1,
        ServiceAway,
    ),
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": POST https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/: UNAUTHORIZED: Unauthenticated request. Unauthenticated requests do not have permission \"artifactregistry.repositories.uploadArtifacts\" on resource \"projects/demo/locations/europe/repositories/images\" (or it may not exist)",
        1,
        PushAnonymous,
    ),
];
