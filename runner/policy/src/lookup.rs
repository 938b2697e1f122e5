//! A macro for capabilities whose scopes name a resource and the allowed read actions.

/// Generates a capability's module from one row: the type of its calls; the resource's key, its kind of pattern and its
/// doc comment; the actions; the word before the resource in a call's description, and in a
/// scope's.
macro_rules! lookup {
    (
        $capability:ident called by $call:ident:
        $(#[$about:meta])*
        $field:ident as $kind:ident, $(#[$is:meta])*
        actions $actions:tt,
        described $described:literal,
        explained $explained:literal
    ) => {
        use crate::Capability;
        use crate::call::Call;
        use crate::field::{Absent, Field, Holds};
        use crate::limits::Limits;
        use crate::pattern::Kind;

        /// The actions of a call.
        pub const ACTIONS: &[&str] = &$actions;

        pub(crate) const FIELDS: &[Field] = &[
            Field {
                name: stringify!($field),
                holds: Holds::Patterns(Kind::$kind),
                absent: Absent::Required,
            },
            Field {
                name: "actions",
                holds: Holds::Words(ACTIONS),
                absent: Absent::Any,
            },
        ];

        $(#[$about])*
        #[derive(Debug, Clone, Copy)]
        pub struct $call<'a> {
            $(#[$is])*
            pub $field: &'a str,
            /// One of the actions.
            pub action: &'a str,
        }

        impl Call for $call<'_> {
            fn capability(&self) -> Capability {
                Capability::$capability
            }

            fn facts(&self) -> Vec<(&'static str, &str)> {
                vec![(stringify!($field), self.$field), ("actions", self.action)]
            }

            fn describe(&self) -> String {
                format!(concat!("{} ", $described, "{}"), self.action, self.$field)
            }
        }

        pub(crate) fn explain(limits: &Limits) -> String {
            crate::words::lookup(limits, stringify!($field), $explained)
        }
    };
}

pub(crate) use lookup;
