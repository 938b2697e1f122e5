//! A cache of parsed expressions and compiled schemas: parsing and compiling are the expensive part
//! of most questions, and the instances of a matrix ask the same ones.

use std::collections::VecDeque;
use std::rc::Rc;

/// The latest results by their source text. The host drops an instance of this module once its
/// memory has grown, which bounds their number.
pub(crate) struct Remembered<K, V> {
    /// The most recent one is last.
    latest: VecDeque<(K, Rc<V>)>,
    most: usize,
}

impl<K, V> Remembered<K, V> {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            latest: VecDeque::new(),
            most,
        }
    }

    /// Returns the cached result for this source, or creates it.
    pub(crate) fn get_or_make<Q, E>(
        &mut self,
        from: &Q,
        make: impl FnOnce(&Q) -> Result<V, E>,
    ) -> Result<Rc<V>, E>
    where
        Q: ToOwned<Owned = K> + PartialEq<K> + ?Sized,
    {
        if let Some(at) = self.latest.iter().position(|(key, _)| *from == *key)
            && let Some(found) = self.latest.remove(at)
        {
            let made = Rc::clone(&found.1);
            self.latest.push_back(found);
            return Ok(made);
        }
        let made = Rc::new(make(from)?);
        if self.latest.len() >= self.most {
            self.latest.pop_front();
        }
        self.latest.push_back((from.to_owned(), Rc::clone(&made)));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_made_once_and_errors_each_time() {
        let mut made = Vec::new();
        let mut remembered = Remembered::<String, usize>::new(2);
        let mut get = |text: &str| {
            remembered.get_or_make(text, |text| {
                made.push(text.to_owned());
                if text.is_empty() {
                    Err(())
                } else {
                    Ok(text.len())
                }
            })
        };
        for text in ["a", "bb", "a", "ccc", "a", "bb", "", ""] {
            assert_eq!(get(text).map_or(0, |len| *len), text.len());
        }
        assert_eq!(made, ["a", "bb", "ccc", "bb", "", ""]);
    }
}
