//! Builds by kaniko.

use super::{Class, Code, Owner, codes};

codes! {
    kaniko {
        ADD_FAILED = "kaniko.add-failed", [Failed] [Author]
            "an ADD could not download or unpack its source"
            "check the URL or the archive";
        ARCHIVE_UNSAFE = "kaniko.archive-unsafe", [Failed] [Author]
            "an archive or image contains an entry whose path leaves its folder"
            "rebuild the archive or the image without such entries: kaniko refuses them";
        BASE_DENIED = "kaniko.base-denied", [Denied] [Cloud]
            "the registry does not allow the build to pull a base image"
            "grant the build's account roles/artifactregistry.reader, or correct the image name: registries also deny access to unknown names";
        BASE_MISSING = "kaniko.base-missing", [Failed] [Author]
            "a base image does not exist"
            "correct its name or tag in the FROM, or in the `COPY --from`";
        BASE_PLATFORM = "kaniko.base-platform", [Failed] [Author]
            "a base image does not exist for the platform of the build"
            "set `platform` to a platform that the image supports, or choose another base image";
        CERTIFICATE = "kaniko.certificate", [Failed] [Cluster]
            "kaniko does not trust a server's certificate"
            "use a registry with a public certificate, or an executor image that trusts the registry's certificate authority";
        CONTEXT_DENIED = "kaniko.context-denied", [Denied] [Cloud]
            "the build's account lacks permission to read the context"
            "grant roles/storage.objectViewer on the contexts of that bucket";
        CONTEXT_INVALID = "kaniko.context-invalid", [Failed] [Author]
            "the context is not an archive that kaniko can unpack"
            "build the context with context-upload: kaniko accepts only .tar.gz";
        CONTEXT_MISSING = "kaniko.context-missing", [Failed] [Author]
            "the bucket does not contain the context, or no longer contains it"
            "run context-upload before this step and pass its `uri`";
        COPY_DESTINATION = "kaniko.copy-destination", [Failed] [Author]
            "a COPY or ADD can't write to its destination"
            "end the destination with `/` if you copy several files, and make sure that none of its parents is a file";
        CRASHED = "kaniko.crashed", [Failed] [Author]
            "kaniko crashed"
            "try another version as `executor`; the log contains the stack trace";
        DESTINATION = "kaniko.destination", [InvalidInput] [Author]
            "a destination in Artifact Registry does not name a repository; this is found before anything starts (exit 2)"
            "write `HOST/PROJECT/REPOSITORY/NAME`";
        DESTINATION_INVALID = "kaniko.destination-invalid", [Failed] [Author]
            "a destination is not a valid image name"
            "write HOST/REPOSITORY:TAG, in lower case";
        DOCKERFILE_INVALID = "kaniko.dockerfile-invalid", [Failed] [Author]
            "kaniko can't parse the Dockerfile"
            "run `sidestep validate`, which shows the line";
        DOCKERFILE_MISSING = "kaniko.dockerfile-missing", [Failed] [Author]
            "the context does not contain the Dockerfile"
            "list the contents of the context";
        EXECUTOR = "kaniko.executor", [Failed] [Author]
            "the executor does not support a flag that kaniko-launch passes"
            "use kaniko 1.24 or later as `executor`";
        FAILED = "kaniko.failed", [Failed] [Author]
            "kaniko failed for a reason that has no code of its own"
            "read the cause in the message, and the details in the log";
        HOST_UNKNOWN = "kaniko.host-unknown", [Failed] [Author]
            "the cluster can't resolve a host name"
            "correct the name; if it is correct, check why the cluster's DNS does not resolve it";
        IMAGE_NAME = "kaniko.image-name", [Failed] [Author]
            "a FROM or a `COPY --from` expands to an invalid image name, because of a value that was not known before the build"
            "check the ARGs in the name: `buildArgs` passes no value, or a wrong one";
        INSTRUCTION_INVALID = "kaniko.instruction-invalid", [Failed] [Author]
            "an instruction of the Dockerfile has a value that kaniko can't use"
            "correct the value";
        NETWORK = "kaniko.network", [Unavailable] [Cluster]
            "the build's pod lost its network connection, or never had one"
            "retry: `retry: { attempts: 3, on: [unavailable] }`; with a service mesh, the sidecar may start after kaniko";
        BUILD_ARGS_FILE = "kaniko.build-args-file", [InvalidInput] [Author]
            "the file of build arguments does not exist, or one of its lines is not of the form NAME=VALUE"
            "correct the line that the message names";
        NO_SECRETS = "kaniko.no-secrets", [InvalidInput] [Author]
            "the executor mounts no secrets and would build without them; this is found before anything starts (exit 2)"
            "use ghcr.io/osscontainertools/kaniko from v1.26.3 on as `executor`";
        NOT_PUSHED = "kaniko.not-pushed", [Failed] [Cloud]
            "kaniko reported the digest of an image that the registry does not have"
            "run the step again; if it happens again, check whether the registry deletes images";
        NO_DIGEST = "kaniko.no-digest", [Failed] [Author]
            "the executor wrote no digest, so the pushed image is unknown"
            "check that `executor` is a kaniko image";
        OPTION = "kaniko.option", [InvalidInput] [Author]
            "an input can't be used: an argument or a variable that the step sets itself, a name that kaniko does not have, or an option that has no effect"
            "use the input that the message names, or remove the entry";
        PERIMETER = "kaniko.perimeter", [Denied] [Cloud]
            "VPC Service Controls or an organization policy denied the request"
            "give the identifier to the organization's administrator, who finds the perimeter in the audit log";
        PLAIN_HTTP = "kaniko.plain-http", [Failed] [Author]
            "a registry does not support TLS"
            "use a registry with TLS: kaniko-launch does not pass `--insecure`";
        PLATFORM = "kaniko.platform", [Failed] [Author]
            "`platform` is not a valid platform"
            "write OS/ARCHITECTURE, such as linux/arm64";
        PUSH_ANONYMOUS = "kaniko.push-anonymous", [Unavailable] [Cluster]
            "kaniko accessed the registry without credentials, because the metadata server did not answer in time"
            "retry: `retry: { attempts: 3, on: [unavailable] }`";
        PUSH_DENIED = "kaniko.push-denied", [Denied] [Cloud]
            "the build's account lacks permission to push"
            "grant roles/artifactregistry.writer on the repository";
        PUSH_FAILED = "kaniko.push-failed", [Failed] [Author]
            "the image was built, but the push failed"
            "read the registry's reason in the message";
        RATE_LIMITED = "kaniko.rate-limited", [Unavailable] [Author]
            "a registry's rate limit was reached"
            "retry later, or pull through a repository of your own";
        REPOSITORY_MISSING = "kaniko.repository-missing", [NotFound] [Cloud]
            "the destination repository does not exist"
            "ask an administrator of the project to create it";
        RESOURCES = "kaniko.resources", [InvalidInput] [Author]
            "`sidestep validate` found a resource request that is higher than its limit"
            "lower `request`, or raise `limit`";
        RUN_FAILED = "kaniko.run-failed", [Failed] [Author]
            "a RUN instruction failed"
            "read the command's output in the log";
        RUN_KILLED = "kaniko.run-killed", [Failed] [Author]
            "a signal ended a RUN instruction"
            "raise `memory` if the signal is `killed`, which usually means that memory ran out";
        RUN_NOT_STARTED = "kaniko.run-not-started", [Failed] [Author]
            "the command of a RUN instruction can't be started"
            "check that the image contains the program or the shell, and for the right platform";
        SECRET_MISSING = "kaniko.secret-missing", [Failed] [Author]
            "a RUN requires a secret that `buildSecrets` does not name"
            "add it to `buildSecrets`, or remove `required=true`";
        SERVICE_UNAVAILABLE = "kaniko.service-unavailable", [Unavailable] [Cloud]
            "Cloud Storage or a registry failed to answer a request"
            "retry: `retry: { attempts: 3, on: [unavailable] }`";
        SNAPSHOT_TIMEOUT = "kaniko.snapshot-timeout", [TimedOut] [Author]
            "the snapshot of the file system took too long"
            "write fewer files in one RUN";
        SOURCE_MISSING = "kaniko.source-missing", [Failed] [Author]
            "the source of a COPY or ADD does not exist in the context or in the stage"
            "check that the folder contains the file and that no ignore file excludes it";
        STAGE_MISSING = "kaniko.stage-missing", [Failed] [Author]
            "a `COPY --from` does not name an earlier stage"
            "name the stage (`FROM … AS NAME`) and copy from that name";
        TAG_IMMUTABLE = "kaniko.tag-immutable", [Failed] [Author]
            "the tag already exists, and the tags of the repository are immutable"
            "push another tag, or push by digest only";
        TARGET_MISSING = "kaniko.target-missing", [Failed] [Author]
            "`target` does not name a stage of the Dockerfile"
            "write the stage's name: kaniko does not accept its number";
        USER_UNKNOWN = "kaniko.user-unknown", [Failed] [Author]
            "a user or group does not exist in the image"
            "create it in an earlier RUN, or use its number";
    }
}
