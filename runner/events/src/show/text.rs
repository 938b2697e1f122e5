use crate::{Foreign, PluginRef};

/// A text that can be shown: foreign or plain, since showing makes both harmless. The trait cannot
/// be named outside this crate, so it gives no other access to foreign text.
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
