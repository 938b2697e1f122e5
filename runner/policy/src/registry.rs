//! The scopes of images in registries.

crate::lookup::lookup! {
    Registry called by RegistryCall:
    /// A call about one repository.
    repository as Image, /// The repository with its host, without tag and digest.
    actions ["resolve", "manifest", "config", "putIndex", "testPush"],
    described "",
    explained "images of"
}
