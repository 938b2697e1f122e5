//! Closed lists of names.

/// Defines a closed list from its table: the type, all of its values, and the name of each.
#[macro_export]
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
            /// All values, in the order of the contract.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// Returns the name that files, events and scripts use.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }

        impl std::fmt::Display for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
