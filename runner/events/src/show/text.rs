use crate::{Foreign, PluginRef};

/// What can be shown: foreign text, and any other, since showing makes it harmless. The trait can't
/// be named outside, so that it is no second way to a foreign text.
pub trait Text {
    /// Returns the exact text.
    fn text(&self) -> &str;
}

impl Text for Foreign {
    fn text(&self) -> &str {
        self.exact()
    }
}

impl Text for str {
    fn text(&self) -> &str {
        self
    }
}

impl Text for String {
    fn text(&self) -> &str {
        self
    }
}

impl Text for PluginRef {
    fn text(&self) -> &str {
        self.as_str()
    }
}

impl<T: Text + ?Sized> Text for &T {
    fn text(&self) -> &str {
        (*self).text()
    }
}
