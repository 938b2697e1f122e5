//! Compares scopes.

use super::Scope;
use crate::capability::Scoped;
use crate::field::Limit;

/// The maximum number of single-value scopes that a scope is split into for a comparison.
const MAX_POINTS: usize = 4096;

impl Scope {
    /// Returns whether this scope allows everything that the other allows.
    pub fn covers(&self, other: &Self) -> bool {
        self.capability == other.capability
            && self.agreement(other) == self.capability.fields().len()
    }

    /// Returns how many keys of the other are within this scope's.
    pub(crate) fn agreement(&self, other: &Self) -> usize {
        let fields = self.capability.fields().iter();
        fields
            .filter(|field| {
                let (mine, its) = (self.limits.get(field.name), other.limits.get(field.name));
                match (mine, its) {
                    (None, _) => true,
                    // Amounts are capped where they are used; a missing amount requests nothing.
                    (Some(Limit::AtMost(mine)), Some(Limit::AtMost(its))) => its
                        .iter()
                        .all(|(name, amount)| mine.get(name).is_none_or(|cap| amount <= cap)),
                    (Some(Limit::AtMost(_)), None) => true,
                    (Some(_), None) => false,
                    (Some(Limit::Only(mine)), Some(Limit::Only(its))) => its
                        .iter()
                        .all(|its| mine.iter().any(|mine| mine.covers(its))),
                    _ => false,
                }
            })
            .count()
    }

    /// Returns whether the scopes together cover this one; each single value is checked by itself.
    pub(crate) fn is_covered_by<'a>(&self, all: impl Iterator<Item = &'a Self> + Clone) -> bool {
        if all.clone().any(|scope| scope.covers(self)) {
            return true;
        }
        self.points().is_some_and(|points| {
            points
                .iter()
                .all(|point| all.clone().any(|scope| scope.covers(point)))
        })
    }

    /// Splits this scope into scopes of one value per key; returns `None` if there are too many.
    fn points(&self) -> Option<Vec<Self>> {
        let mut points = vec![self.clone()];
        for (key, limit) in self.limits.iter() {
            let Limit::Only(patterns) = limit else {
                continue;
            };
            if patterns.len() < 2 {
                continue;
            }
            if points.len() * patterns.len() > MAX_POINTS {
                return None;
            }
            points = points
                .iter()
                .flat_map(|point| {
                    patterns.iter().map(|pattern| {
                        let mut point = point.clone();
                        point.limits.set(key, Limit::Only(vec![pattern.clone()]));
                        point
                    })
                })
                .collect();
        }
        Some(points)
    }
}
