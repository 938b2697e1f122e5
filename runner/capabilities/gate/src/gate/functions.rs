//! The price table: every function of the contract and the price of a call.

use super::cost::{PerByte, Price, Priced};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The price of facts: names, numbers, short lists.
const FACTS: u64 = 64 * KIB;
/// The price of an API's answer, as text and as a tree.
const ANSWER: u64 = 4 * MIB;

/// Defines a constant for each function that has a price, and the table of all functions.
macro_rules! functions {
    ($($module:ident $interface:literal { $($constant:ident $name:literal $kind:ident $(($bytes:expr))?;)* })*) => {
        $(
            #[doc = concat!("The functions of `", $interface, "`.")]
            pub mod $module {
                #[allow(clippy::wildcard_imports, unused_imports, reason = "not every module uses all")]
                use super::*;
                $(functions!(@constant $constant $name $kind $(($bytes))?);)*
            }
        )*

        /// Each function: its interface, its name, and the way to compute the price of a call.
        pub const PRICES: &[(&str, &str, Price)] = &[
            $($(($interface, $name, functions!(@price $kind $(($bytes))?)),)*)*
        ];
    };
    (@constant $constant:ident $name:literal at_most($bytes:expr)) => {
        #[doc = concat!("`", $name, "`.")]
        pub const $constant: Priced = Priced { name: $name, bytes: $bytes };
    };
    (@constant $constant:ident $name:literal per_byte($factor:expr)) => {
        #[doc = concat!("`", $name, "`.")]
        pub const $constant: PerByte = PerByte { name: $name, factor: $factor };
    };
    (@constant $constant:ident $name:literal nothing) => {};
    (@price at_most($bytes:expr)) => { Price::AtMost($bytes) };
    (@price per_byte($factor:expr)) => { Price::PerByte($factor) };
    (@price nothing) => { Price::Nothing };
}

functions! {
    runtime "sidestep:step/runtime" {
        // The text, masked, and cut.
        LOG "log" per_byte(3);
        GROUP "group" per_byte(3);
        END_GROUP "end-group" nothing;
        PROGRESS "progress" per_byte(3);
        ANNOTATE "annotate" per_byte(3);
        SLEEP "sleep" at_most(0);
        NOW "now" nothing;
        DEADLINE "deadline" nothing;
        RANDOM "random" per_byte(1);
        IS_CANCELLED "is-cancelled" nothing;
        ATTEMPT "attempt" nothing;
        RESUMED "resumed" nothing;
        // The text, its tree, and the text of the tree.
        CHECKPOINT "checkpoint" per_byte(8);
        LAST_CHECKPOINT "last-checkpoint" at_most(64 * KIB);
        OBJECT_NAME "object-name" per_byte(2);
        PANICKED "panicked" per_byte(3);
    }
    types "sidestep:host/types" {
        // Six times its length as a JSON string of control characters, and its parts.
        COMPOSE "compose" per_byte(8);
        // The masks search for it in every form: about forty automaton states for each byte, of 28
        // bytes each.
        COMPOSE_MASKED "compose" per_byte(1024);
        BLOB_DIGEST "blob.digest" nothing;
        BLOB_SIZE "blob.size" nothing;
        NEXT "follow.next" at_most(ANSWER);
        TAIL "follow.tail" at_most(256 * KIB);
    }
    workspace "sidestep:workspace/files" {
        LIST "list" at_most(16 * MIB);
        STAT "stat" at_most(FACTS);
        READ "read" per_byte(2);
        OPEN "open" at_most(FACTS);
        PACK "pack" at_most(16 * MIB);
        // One file at a time, its copies in each form, and the answer.
        KEY_FACTS "key-facts" at_most(32 * MIB);
        MANIFESTS "manifests" at_most(64 * MIB);
        // What the masks search for.
        KEYS "key-facts" per_byte(1024);
    }
    storage "sidestep:storage/objects" {
        STAT "stat" at_most(FACTS);
        READ "read" per_byte(2);
        OPEN "open" at_most(MIB);
        PUT "put" per_byte(2);
        COMPOSE "compose" at_most(FACTS);
        TEST_PERMISSIONS "test-permissions" at_most(FACTS);
        BUCKETS "buckets" at_most(FACTS);
    }
    project "sidestep:gcp/project" {
        GET "get" at_most(FACTS);
        ENABLED "enabled" at_most(FACTS);
    }
    iam "sidestep:gcp/iam" {
        READ "read" at_most(ANSWER);
    }
    iam_write "sidestep:gcp/iam-write" {
        SET_POLICY "set-policy" at_most(ANSWER);
        CREATE_SERVICE_ACCOUNT "create-service-account" at_most(FACTS);
        CREATE_POOL "create-pool" at_most(FACTS);
        CREATE_PROVIDER "create-provider" at_most(FACTS);
    }
    gke "sidestep:gcp/gke" {
        CLUSTERS "clusters" at_most(ANSWER);
        NODE_POOLS "node-pools" at_most(ANSWER);
    }
    artifact_registry "sidestep:gcp/artifact-registry" {
        REPOSITORIES "repositories" at_most(FACTS);
        TEST_PERMISSIONS "test-permissions" at_most(FACTS);
    }
    secret_manager "sidestep:gcp/secret-manager" {
        ACCESS "access" at_most(256 * KIB);
        // What the handle of a secret keeps.
        SECRET "access" per_byte(1);
    }
    identity "sidestep:identity/prove" {
        WHO_AM_I "who-am-i" at_most(ANSWER);
        FEDERATE "federate" at_most(ANSWER);
        DECIDE "decide" at_most(ANSWER);
        PROVE "prove" at_most(ANSWER);
    }
    kubernetes "sidestep:kubernetes/objects" {
        GET "get" at_most(ANSWER);
        LIST "list" at_most(16 * MIB);
        // The object as text and as a tree, and its Secrets.
        CREATE "create" per_byte(16);
        APPLY "apply" per_byte(16);
        DELETE "delete" at_most(FACTS);
        CAN_I "can-i" at_most(FACTS);
        // A Secret has at most 1 MiB, also as a tree.
        REGISTRY_LOGINS "registry-logins" at_most(ANSWER);
        // What the handle keeps, and what the masks search for.
        LOGINS "registry-logins" per_byte(1024);
        // A Secret has at most 1 MiB, also as a tree.
        KEY_FACTS "key-facts" at_most(ANSWER);
        // What the masks search for.
        KEYS "key-facts" per_byte(1024);
        FOLLOW_POD "follow-pod" at_most(ANSWER);
        // What a follow keeps until its handle is dropped.
        FOLLOW "follow-pod" per_byte(1);
    }
    registry "sidestep:registry/images" {
        RESOLVE "resolve" at_most(ANSWER);
        MANIFEST "manifest" at_most(2 * ANSWER);
        CONFIG "config" at_most(2 * ANSWER);
        PUT_INDEX "put-index" at_most(ANSWER);
        PUSH_PERMISSION "push-permission" at_most(FACTS);
    }
    secrets "sidestep:secrets/names" {
        GET "get" at_most(0);
    }
    http "sidestep:http/client" {
        // The request with its secrets, and the largest possible answer.
        SEND "send" per_byte(2);
    }
}
