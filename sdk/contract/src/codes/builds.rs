//! Builds by kaniko.

use super::{Class, Code, Owner, codes};

codes! {
    kaniko {
        ADD_FAILED = "kaniko.add-failed", [Failed] [Author]
            "an ADD could not download or unpack its source"
            "check the URL or the archive";
        ARCHIVE_UNSAFE = "kaniko.archive-unsafe", [Failed] [Author]
            "an archive or image has an entry that leaves its folder"
            "build the archive or the image anew: kaniko refuses such entries";
        BASE_DENIED = "kaniko.base-denied", [Denied] [Cloud]
            "the registry does not let the build pull a base image"
            "grant the build's account roles/artifactregistry.reader, or correct the image's name: registries refuse unknown ones too";
        BASE_MISSING = "kaniko.base-missing", [Failed] [Author]
            "a base image does not exist"
            "correct its name or tag in the FROM, or in the `COPY --from`";
        BASE_PLATFORM = "kaniko.base-platform", [Failed] [Author]
            "a base image does not exist for the platform that is built"
            "set `platform` to one that the image has, or choose another base image";
        CERTIFICATE = "kaniko.certificate", [Failed] [Cluster]
            "a server's certificate is not trusted"
            "use a registry with a public certificate, or an executor image that trusts its authority";
        CONTEXT_DENIED = "kaniko.context-denied", [Denied] [Cloud]
            "the build's account may not read the context"
            "grant roles/storage.objectViewer on the contexts of that bucket";
        CONTEXT_INVALID = "kaniko.context-invalid", [Failed] [Author]
            "the context is not an archive that kaniko can unpack"
            "build the context with context-upload: kaniko takes .tar.gz only";
        CONTEXT_MISSING = "kaniko.context-missing", [Failed] [Author]
            "the context is not in its bucket, or not any more"
            "run context-upload before this step and pass its `uri`";
        COPY_DESTINATION = "kaniko.copy-destination", [Failed] [Author]
            "a COPY or ADD can't write to its destination"
            "end the destination with `/` where several files are copied; no parent of it may be a file";
        CRASHED = "kaniko.crashed", [Failed] [Author]
            "kaniko itself crashed"
            "try another version as `executor`; the trace is in the log";
        DESTINATION = "kaniko.destination", [InvalidInput] [Author]
            "a destination in Artifact Registry names no repository; found before anything starts (exit 2)"
            "`HOST/PROJECT/REPOSITORY/NAME`";
        DESTINATION_INVALID = "kaniko.destination-invalid", [Failed] [Author]
            "a destination is not a valid image name"
            "write HOST/REPOSITORY:TAG, in lower case";
        DOCKERFILE_INVALID = "kaniko.dockerfile-invalid", [Failed] [Author]
            "kaniko can't read the Dockerfile"
            "`sidestep validate` shows the line";
        DOCKERFILE_MISSING = "kaniko.dockerfile-missing", [Failed] [Author]
            "the context does not hold the Dockerfile"
            "list what the context holds";
        EXECUTOR = "kaniko.executor", [Failed] [Author]
            "the executor does not know a flag that kaniko-launch passes"
            "use kaniko 1.24 or later as `executor`";
        FAILED = "kaniko.failed", [Failed] [Author]
            "kaniko failed in another way"
            "the message is its own cause, and the log holds the rest";
        HOST_UNKNOWN = "kaniko.host-unknown", [Failed] [Author]
            "a host name can't be resolved in the cluster"
            "correct the name; if it is right, the cluster's DNS does not know it";
        IMAGE_NAME = "kaniko.image-name", [Failed] [Author]
            "what a FROM asks for came to no image's name, at a value that was not known before"
            "an ARG that it is made of got no value, or another one, from `buildArgs`";
        INSTRUCTION_INVALID = "kaniko.instruction-invalid", [Failed] [Author]
            "an instruction of the Dockerfile has a value that kaniko can't use"
            "correct the value";
        NETWORK = "kaniko.network", [Unavailable] [Cluster]
            "the build's pod lost or never had its network"
            "retry: `retry: { attempts: 3, on: [unavailable] }`; with a service mesh, the sidecar may start after kaniko";
        NO_DIGEST = "kaniko.no-digest", [Failed] [Author]
            "the executor wrote no digest, so what was pushed is not known"
            "see that `executor` is a kaniko image";
        PERIMETER = "kaniko.perimeter", [Denied] [Cloud]
            "VPC Service Controls or an organization policy denied the request"
            "give the identifier to the organization's administrator: the audit log names the perimeter";
        PLAIN_HTTP = "kaniko.plain-http", [Failed] [Author]
            "a registry does not speak TLS"
            "use a registry with TLS: kaniko-launch does not pass `--insecure`";
        PLATFORM = "kaniko.platform", [Failed] [Author]
            "`platform` is not a valid platform"
            "write OS/ARCHITECTURE, such as linux/arm64";
        PUSH_ANONYMOUS = "kaniko.push-anonymous", [Unavailable] [Cluster]
            "kaniko asked the registry without any identity: the metadata server did not answer in time"
            "retry: `retry: { attempts: 3, on: [unavailable] }`";
        PUSH_DENIED = "kaniko.push-denied", [Denied] [Cloud]
            "the build's account may not push"
            "grant roles/artifactregistry.writer on the repository";
        PUSH_FAILED = "kaniko.push-failed", [Failed] [Author]
            "the image was built and not pushed"
            "the message holds the registry's reason";
        RATE_LIMITED = "kaniko.rate-limited", [Unavailable] [Author]
            "a registry's limit of requests is reached"
            "retry later, or pull through a repository of your own";
        REPOSITORY_MISSING = "kaniko.repository-missing", [NotFound] [Cloud]
            "the repository that the image is pushed to does not exist"
            "an administrator of the project can create it";
        RESOURCES = "kaniko.resources", [InvalidInput] [Author]
            "found by `sidestep validate`: a request above its limit"
            "lower `request`, or raise `limit`";
        RUN_FAILED = "kaniko.run-failed", [Failed] [Author]
            "a RUN instruction failed"
            "the command's own output is in the log";
        RUN_KILLED = "kaniko.run-killed", [Failed] [Author]
            "a RUN instruction was ended by a signal"
            "`killed` mostly means that memory ran out: raise `memory`";
        RUN_NOT_STARTED = "kaniko.run-not-started", [Failed] [Author]
            "a RUN instruction's command can't be started"
            "the image holds no such program or shell, or one for another platform";
        SECRET_MISSING = "kaniko.secret-missing", [Failed] [Author]
            "a RUN requires a secret, and kaniko-launch passes none"
            "remove `required=true`, or take what the secret gives from an earlier step";
        SERVICE_UNAVAILABLE = "kaniko.service-unavailable", [Unavailable] [Cloud]
            "Cloud Storage or a registry failed to answer"
            "retry: `retry: { attempts: 3, on: [unavailable] }`";
        SNAPSHOT_TIMEOUT = "kaniko.snapshot-timeout", [TimedOut] [Author]
            "taking a snapshot of the file system took too long"
            "write fewer files in one RUN";
        SOURCE_MISSING = "kaniko.source-missing", [Failed] [Author]
            "a COPY or ADD takes what the context, or a stage, does not hold"
            "see whether the file is in the folder, or left out by an ignore file";
        STAGE_MISSING = "kaniko.stage-missing", [Failed] [Author]
            "a `COPY --from` names a stage that does not come before it"
            "name the stage (`FROM … AS NAME`) and copy from that name";
        TAG_IMMUTABLE = "kaniko.tag-immutable", [Failed] [Author]
            "the tag exists already, and the repository does not let tags move"
            "push another tag, or nothing but the digest";
        TARGET_MISSING = "kaniko.target-missing", [Failed] [Author]
            "`target` names no stage of the Dockerfile"
            "kaniko takes a stage's name, not its number";
        USER_UNKNOWN = "kaniko.user-unknown", [Failed] [Author]
            "a user or group does not exist in the image"
            "create it in a RUN before, or write its number";
    }
}
