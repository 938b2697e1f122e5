//! Google's APIs, registries, storage and HTTP.

use super::{Class, Code, Owner, codes};

codes! {
    google {
        PERMISSION_DENIED = "google.permission-denied", [Denied] [Cloud]
            "the runner's account may not do that"
            "grant the permission that `details.metadata` names";
        API_DISABLED = "google.api-disabled", [Denied] [Cloud]
            "the API is not enabled in the project that the call counts for"
            "the printed command";
        NOT_FOUND = "google.not-found", [NotFound] [Cloud]
            "it is not there"
            "check its name";
        CONFLICT = "google.conflict", [Conflict] [Cloud]
            "somebody changed it meanwhile, or it is there already"
            "read it again and repeat the change";
        PRECONDITION = "google.precondition", [Conflict] [Cloud]
            "somebody changed it meanwhile"
            "read it again and repeat the change";
        INVALID = "google.invalid", [InvalidInput] [Author]
            "the request can't be right"
            "correct what the message quotes";
        NAME = "google.name", [InvalidInput] [Author]
            "a name that can't be one"
            "correct what the message quotes";
        UNAUTHENTICATED = "google.unauthenticated", [Denied] [Operator]
            "the credentials of this process were refused"
            "sign in again";
        QUOTA = "google.quota", [Exhausted] [Cloud]
            "a quota of the project is used up"
            "wait, or ask for a larger quota";
        SETUP = "google.setup", [Failed] [Operator]
            "no client can be made on this machine, such as without a trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        TOO_MANY = "google.too-many", [Exhausted] [Cloud]
            "a list of more than 50 pages"
            "ask for less";
        UNREACHABLE = "google.unreachable", [Unavailable] [Cloud]
            "no answer after several tries"
            "retry: it is safe";
        UNAVAILABLE = "google.unavailable", [Unavailable] [Cloud]
            "the service does not answer now"
            "retry: it is safe";
        RATE_LIMITED = "google.rate-limited", [Unavailable] [Cloud]
            "too many requests"
            "retry: it is safe";
        SILENT = "google.silent", [Unavailable] [Cloud]
            "a connection on which nothing moved any more was given up"
            "retry: it is safe";
        SLOW = "google.slow", [TimedOut] [Cloud]
            "Google has not completed an operation in time"
            "see whether it completes; run it again";
        FAILED = "google.failed", [Failed] [Cloud]
            "the API failed in another way"
            "the message has its own words";
    }
    iam {
        CONFLICT = "iam.conflict", [Conflict] [Author]
            "another account, pool or provider has that name"
            "choose another name, or make it the same";
        ETAG = "iam.etag", [InvalidInput] [Plugin]
            "the etag of a policy to set is not valid"
            "for the plugin's author";
    }
    http {
        ADDRESS = "http.address", [Refused] [Author]
            "the host is, or stands for, an address that is not of the public internet"
            "use a public host";
        NOT_JSON = "http.not-json", [Failed] [Cloud]
            "something else answered in the API's place, or the API changed"
            "see what answers at that address, such as a proxy's sign-in page";
        UNEXPECTED = "http.unexpected", [Failed] [Cloud]
            "something else answered in the API's place, or the API changed"
            "see what answers at that address, such as a proxy's sign-in page";
        TOO_LARGE = "http.too-large", [Exhausted] [Cloud]
            "an answer is too large to be read"
            "ask for less; see what answers at that address";
        SETUP = "http.setup", [Failed] [Operator]
            "no client can be made on this machine, such as without a trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        REQUEST = "http.request", [InvalidInput] [Plugin]
            "method, URL or a header can't be sent, or the URL can be read in more than one way: a host in capitals, an encoded slash, a `..`"
            "write it as the message says";
        TIMEOUT = "http.timeout", [TimedOut] [Cloud]
            "the answer took too long"
            "raise the time-out";
        UNREACHABLE = "http.unreachable", [Unavailable] [Cloud]
            "no connection"
            "retry";
    }
    registry {
        DENIED = "registry.denied", [Denied] [Cloud]
            "the registry said no"
            "grant what the message names";
        UNAUTHENTICATED = "registry.unauthenticated", [Denied] [Operator]
            "the registry does not take the runner's credentials"
            "sign in again";
        NOT_FOUND = "registry.not-found", [NotFound] [Cloud]
            "no such image or repository"
            "check its name";
        DIGEST = "registry.digest", [Failed] [Cloud]
            "the registry sent other bytes than the digest says"
            "pull again; else distrust the registry";
        CONFLICT = "registry.conflict", [Conflict] [Cloud]
            "the registry has another image there, or its tags do not move"
            "push another tag";
        RATE_LIMITED = "registry.rate-limited", [Unavailable] [Cloud]
            "a registry's limit of requests is reached"
            "retry later";
        UNAVAILABLE = "registry.unavailable", [Unavailable] [Cloud]
            "the registry does not answer now"
            "retry: it is safe";
        UNREACHABLE = "registry.unreachable", [Unavailable] [Cloud]
            "no connection to the registry"
            "retry; behind a proxy, set HTTPS_PROXY";
        INVALID = "registry.invalid", [InvalidInput] [Author]
            "the registry refuses the request"
            "correct what the message quotes";
        FAILED = "registry.failed", [Failed] [Cloud]
            "the registry failed in another way"
            "the message has its own words";
        NAME = "registry.name", [InvalidInput] [Author]
            "a text that is not an image's or a repository's name"
            "write HOST/REPOSITORY:TAG, in lower case";
        INDEX = "registry.index", [InvalidInput] [Plugin]
            "an index can't be made of these images, or can't be read"
            "for the plugin's author";
        PLATFORM = "registry.platform", [InvalidInput] [Author]
            "the image does not exist for the platform, or for several that fit"
            "name one that it has";
    }
    storage {
        CONFLICT = "storage.conflict", [Conflict] [Author]
            "an object of that name with other metadata is there already"
            "choose another name, or remove it";
        GENERATION = "storage.generation", [InvalidInput] [Plugin]
            "a number is not a valid generation"
            "for the plugin's author";
        LOCAL_BYTES = "storage.local-bytes", [Failed] [Operator]
            "the bytes can't be made or kept on this machine"
            "free space in the folder for temporary files";
        SETUP = "storage.setup", [Failed] [Operator]
            "no client can be made on this machine, such as without a trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        TOO_LARGE = "storage.too-large", [Exhausted] [Author]
            "the object is larger than the plugin reads at once"
            "pass it on as a blob";
    }
}
