//! Glue between a crate's functions and the calls of an interface.

/// Defines `Calls`, a step's state as the receiver of this crate's interface functions, and
/// `HasCalls`, which links them.
///
/// A crate can implement a trait of the bindings only for its own types. The functions of the
/// handles and the conversion of failures are implemented on the state itself.
#[macro_export]
macro_rules! calls {
    () => {
        /// A step's state as the receiver of this crate's interface functions.
        #[derive(Debug)]
        pub(crate) struct Calls<'a>(pub(crate) &'a mut $crate::StepState);

        /// Names [`Calls`] to the linker.
        pub(crate) struct HasCalls;

        impl ::wasmtime::component::HasData for HasCalls {
            type Data<'a> = Calls<'a>;
        }

        impl ::std::ops::Deref for Calls<'_> {
            type Target = $crate::StepState;

            fn deref(&self) -> &$crate::StepState {
                self.0
            }
        }

        impl ::std::ops::DerefMut for Calls<'_> {
            fn deref_mut(&mut self) -> &mut $crate::StepState {
                self.0
            }
        }

        const _: () = {
            use ::wasmtime::component::Resource;
            use $crate::bindings::sidestep::host::types as wit;

            impl wit::Host for Calls<'_> {
                async fn compose(
                    &mut self,
                    parts: ::std::vec::Vec<wit::Part>,
                    encoding: wit::Encoding,
                ) -> ::std::result::Result<Resource<$crate::Secret>, $crate::CallError> {
                    wit::Host::compose(self.0, parts, encoding).await
                }

                fn convert_failure(
                    &mut self,
                    error: $crate::CallError,
                ) -> ::wasmtime::Result<wit::Failure> {
                    wit::Host::convert_failure(self.0, error)
                }
            }

            impl wit::HostBlob for Calls<'_> {
                async fn digest(
                    &mut self,
                    blob: Resource<$crate::Blob>,
                ) -> ::wasmtime::Result<::std::option::Option<::std::string::String>> {
                    wit::HostBlob::digest(self.0, blob).await
                }

                async fn size(
                    &mut self,
                    blob: Resource<$crate::Blob>,
                ) -> ::wasmtime::Result<::std::option::Option<u64>> {
                    wit::HostBlob::size(self.0, blob).await
                }

                async fn drop(&mut self, blob: Resource<$crate::Blob>) -> ::wasmtime::Result<()> {
                    wit::HostBlob::drop(self.0, blob).await
                }
            }

            impl wit::HostSecret for Calls<'_> {
                async fn drop(
                    &mut self,
                    secret: Resource<$crate::Secret>,
                ) -> ::wasmtime::Result<()> {
                    wit::HostSecret::drop(self.0, secret).await
                }
            }

            impl wit::HostFollow for Calls<'_> {
                async fn next(
                    &mut self,
                    follow: Resource<$crate::Follow>,
                    timeout: u64,
                ) -> ::std::result::Result<::std::option::Option<wit::Update>, $crate::CallError>
                {
                    wit::HostFollow::next(self.0, follow, timeout).await
                }

                async fn tail(
                    &mut self,
                    follow: Resource<$crate::Follow>,
                    container: ::std::string::String,
                    max: u32,
                ) -> ::std::result::Result<::std::string::String, $crate::CallError> {
                    wit::HostFollow::tail(self.0, follow, container, max).await
                }

                async fn drop(
                    &mut self,
                    follow: Resource<$crate::Follow>,
                ) -> ::wasmtime::Result<()> {
                    wit::HostFollow::drop(self.0, follow).await
                }
            }
        };
    };
}
