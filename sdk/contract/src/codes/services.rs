//! Google's APIs, registries, storage and HTTP.

use super::{Class, Code, Owner, codes};

codes! {
    google {
        PERMISSION_DENIED = "google.permission-denied", [Denied] [Cloud]
            "the runner's account lacks a permission"
            "grant the permission that `details.metadata` names";
        API_DISABLED = "google.api-disabled", [Denied] [Cloud]
            "the API is not enabled in the project to which the call is charged"
            "run the printed command";
        NOT_FOUND = "google.not-found", [NotFound] [Cloud]
            "the resource does not exist"
            "check its name";
        CONFLICT = "google.conflict", [Conflict] [Cloud]
            "the resource was changed in the meantime, or already exists"
            "read it again and repeat the change";
        PRECONDITION = "google.precondition", [Conflict] [Cloud]
            "the resource was changed in the meantime"
            "read it again and repeat the change";
        INVALID = "google.invalid", [InvalidInput] [Author]
            "the request is not valid"
            "correct the value that the message quotes";
        NAME = "google.name", [InvalidInput] [Author]
            "a name is not valid"
            "correct the name that the message quotes";
        UNAUTHENTICATED = "google.unauthenticated", [Denied] [Operator]
            "Google rejected the credentials of this process"
            "sign in again";
        QUOTA = "google.quota", [Exhausted] [Cloud]
            "a quota of the project is used up"
            "wait, or request a larger quota";
        SETUP = "google.setup", [Failed] [Operator]
            "the client can't be created on this machine, for example because it has no trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        TOO_MANY = "google.too-many", [Exhausted] [Cloud]
            "a list has more than 50 pages"
            "request fewer results";
        UNREACHABLE = "google.unreachable", [Unavailable] [Cloud]
            "the service did not answer after several attempts"
            "retry: it is safe";
        UNAVAILABLE = "google.unavailable", [Unavailable] [Cloud]
            "the service is temporarily unavailable"
            "retry: it is safe";
        RATE_LIMITED = "google.rate-limited", [Unavailable] [Cloud]
            "the service received too many requests"
            "retry: it is safe";
        SILENT = "google.silent", [Unavailable] [Cloud]
            "Sidestep closed a connection on which no data moved any more"
            "retry: it is safe";
        SLOW = "google.slow", [TimedOut] [Cloud]
            "Google did not complete an operation in time"
            "check whether the operation completes, then run the step again";
        FAILED = "google.failed", [Failed] [Cloud]
            "the API failed for a reason that has no code of its own"
            "read the API's error in the message";
    }
    iam {
        CONFLICT = "iam.conflict", [Conflict] [Author]
            "another account, pool or provider already has that name"
            "choose another name, or make the new configuration match the existing one";
        ETAG = "iam.etag", [InvalidInput] [Plugin]
            "the etag of a policy to set is not valid"
            "report it to the plugin's author";
    }
    http {
        ADDRESS = "http.address", [Refused] [Author]
            "the host is, or resolves to, an address that is not on the public internet"
            "use a public host";
        NOT_JSON = "http.not-json", [Failed] [Cloud]
            "another server answered in place of the API, or the API changed"
            "check which server answers at that address; it may be a proxy's sign-in page";
        UNEXPECTED = "http.unexpected", [Failed] [Cloud]
            "another server answered in place of the API, or the API changed"
            "check which server answers at that address; it may be a proxy's sign-in page";
        TOO_LARGE = "http.too-large", [Exhausted] [Cloud Cluster]
            "a response is larger than the limit"
            "request less, and check which server answers at that address";
        SETUP = "http.setup", [Failed] [Operator]
            "the client can't be created on this machine, for example because it has no trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        REQUEST = "http.request", [InvalidInput] [Plugin]
            "the method, the URL or a header can't be sent, or the URL is ambiguous (a host in capitals, an encoded slash, a `..`)"
            "correct the request as the message says";
        TIMEOUT = "http.timeout", [TimedOut] [Cloud]
            "the response did not arrive in time"
            "raise the timeout";
        UNREACHABLE = "http.unreachable", [Unavailable] [Cloud]
            "the connection failed"
            "retry";
    }
    registry {
        DENIED = "registry.denied", [Denied] [Cloud]
            "the registry denied access"
            "grant the permission that the message names";
        UNAUTHENTICATED = "registry.unauthenticated", [Denied] [Operator]
            "the registry rejects the runner's credentials"
            "sign in again";
        NOT_FOUND = "registry.not-found", [NotFound] [Cloud]
            "the image or the repository does not exist"
            "check its name";
        DIGEST = "registry.digest", [Failed] [Cloud]
            "the bytes that the registry sent do not match the digest"
            "pull again; if the error persists, do not trust the registry";
        CONFLICT = "registry.conflict", [Conflict] [Cloud]
            "the registry already has another image under that tag, or its tags are immutable"
            "push another tag";
        RATE_LIMITED = "registry.rate-limited", [Unavailable] [Cloud]
            "a registry's rate limit was reached"
            "retry later";
        UNAVAILABLE = "registry.unavailable", [Unavailable] [Cloud]
            "the registry is temporarily unavailable"
            "retry: it is safe";
        UNREACHABLE = "registry.unreachable", [Unavailable] [Cloud]
            "the connection to the registry failed"
            "retry; behind a proxy, set HTTPS_PROXY";
        INVALID = "registry.invalid", [InvalidInput] [Author]
            "the registry rejects the request"
            "correct the value that the message quotes";
        FAILED = "registry.failed", [Failed] [Cloud]
            "the registry failed for a reason that has no code of its own"
            "read the registry's error in the message";
        NAME = "registry.name", [InvalidInput] [Author]
            "a text is not a valid name of an image or a repository"
            "write HOST/REPOSITORY:TAG, in lower case";
        INDEX = "registry.index", [InvalidInput] [Plugin]
            "an index can't be created from these images, or can't be read"
            "report it to the plugin's author";
        PLATFORM = "registry.platform", [InvalidInput] [Author]
            "the image does not exist for the platform, or several variants match the platform"
            "use a platform that the image supports";
        SECRET_MISSING = "registry.secret-missing", [NotFound] [Author]
            "the Secret with the registry's credentials does not exist in the namespace"
            "create it with the printed command, or correct its name";
        SECRET_UNUSABLE = "registry.secret-unusable", [InvalidInput] [Author]
            "a Secret or a secret of the step holds no registry credentials: it has another type, or another content"
            "create the Secret with `kubectl create secret docker-registry`";
        SECRET_HOST = "registry.secret-host", [InvalidInput] [Author]
            "the Secret has no credentials for the registry of a destination"
            "add the registry to the Secret, or correct the destination";
        LOGIN_REFUSED = "registry.login-refused", [Denied] [Author Operator]
            "the registry rejects the user name or the password"
            "renew the password where the message says that it comes from";
        DOCKER_CONFIG = "registry.docker-config", [Failed] [Operator]
            "Docker's configuration file on the runner's machine can't be used, or a credential helper that it names failed"
            "correct the file, or log in again with `docker login`";
        NOT_CHECKED = "registry.not-checked", [] []
            "the image was pushed, but the runner could not check its digest in the registry"
            "give the runner access to the registry as the message says, or ignore the warning";
    }
    storage {
        CONFLICT = "storage.conflict", [Conflict] [Author]
            "an object with that name but other metadata already exists"
            "choose another name, or remove the object";
        GENERATION = "storage.generation", [InvalidInput] [Plugin]
            "a number is not a valid generation"
            "report it to the plugin's author";
        LOCAL_BYTES = "storage.local-bytes", [Failed] [Operator]
            "the bytes can't be created or stored on this machine"
            "free space in the folder for temporary files";
        SETUP = "storage.setup", [Failed] [Operator]
            "the client can't be created on this machine, for example because it has no trust store"
            "install `ca-certificates`, or set `SSL_CERT_FILE`";
        TOO_LARGE = "storage.too-large", [Exhausted] [Author]
            "the object is larger than the plugin reads at once"
            "pass the object on as a blob";
    }
}
