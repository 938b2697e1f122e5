//! What kinds of failures there are, and whose they can be.

/// Makes a closed list of its table: the type, all of its values, and the name of each.
macro_rules! names {
    (
        $(#[$about:meta])*
        pub enum $list:ident {
            $($(#[$is:meta])* $value:ident = $name:literal,)+
        }
    ) => {
        $(#[$about])*
        pub enum $list {
            $($(#[$is])* $value,)+
        }

        impl $list {
            pub(super) const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// Its name in the contract.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }
    };
}

names! {
    /// What kind of failure it is. A host may know more classes: they read as
    /// [`Class::Failed`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Class {
        /// The inputs are wrong.
        InvalidInput = "invalid-input",
        /// A grant or the operator's policy says no.
        Refused = "refused",
        /// The cloud or the cluster says no.
        Denied = "denied",
        /// It is not there.
        NotFound = "not-found",
        /// Something else is in its place, or it changed meanwhile.
        Conflict = "conflict",
        /// Not now; the same again may work.
        Unavailable = "unavailable",
        /// A limit or a quota is used up.
        Exhausted = "exhausted",
        /// The time is over.
        TimedOut = "timed-out",
        /// The step was told to stop.
        Cancelled = "cancelled",
        /// Anything else.
        Failed = "failed",
    }
}

impl Class {
    pub(super) fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .unwrap_or(Self::Failed)
    }
}

names! {
    /// Who can act on it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Owner {
        /// Who wrote the pipeline or the code that it builds.
        Author = "author",
        /// Who wrote the plugin.
        Plugin = "plugin",
        /// Google Cloud, or who administers the project there.
        Cloud = "cloud",
        /// The cluster, or who administers it.
        Cluster = "cluster",
        /// Who runs the runner.
        Operator = "operator",
        /// Sidestep itself.
        Sidestep = "sidestep",
    }
}

impl Owner {
    pub(super) fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|owner| owner.as_str() == name)
            .unwrap_or(Self::Sidestep)
    }
}
