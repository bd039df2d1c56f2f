//! One of something for each class.

use super::Priority;

/// A value of type `T` for each [`Priority`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerClass<T> {
    /// Of [`Priority::Operator`].
    pub operator: T,
    /// Of [`Priority::Submit`].
    pub submit: T,
    /// Of [`Priority::Navigation`].
    pub navigation: T,
    /// Of [`Priority::SubResource`].
    pub sub_resource: T,
    /// Of [`Priority::Stranger`].
    pub stranger: T,
    /// Of [`Priority::Bot`].
    pub bot: T,
}

impl<T> PerClass<T> {
    /// What `of` says of each class.
    pub fn from_fn(mut of: impl FnMut(Priority) -> T) -> Self {
        Self {
            operator: of(Priority::Operator),
            submit: of(Priority::Submit),
            navigation: of(Priority::Navigation),
            sub_resource: of(Priority::SubResource),
            stranger: of(Priority::Stranger),
            bot: of(Priority::Bot),
        }
    }

    /// That of one class.
    #[must_use]
    pub const fn get(&self, priority: Priority) -> &T {
        match priority {
            Priority::Operator => &self.operator,
            Priority::Submit => &self.submit,
            Priority::Navigation => &self.navigation,
            Priority::SubResource => &self.sub_resource,
            Priority::Stranger => &self.stranger,
            Priority::Bot => &self.bot,
        }
    }

    /// That of one class, to be changed.
    pub const fn get_mut(&mut self, priority: Priority) -> &mut T {
        match priority {
            Priority::Operator => &mut self.operator,
            Priority::Submit => &mut self.submit,
            Priority::Navigation => &mut self.navigation,
            Priority::SubResource => &mut self.sub_resource,
            Priority::Stranger => &mut self.stranger,
            Priority::Bot => &mut self.bot,
        }
    }

    /// Each class with its own, best first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Priority, &T)> {
        Priority::ALL
            .into_iter()
            .map(|priority| (priority, self.get(priority)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_own() {
        let mut names = PerClass::from_fn(|priority| priority as usize);
        let all: Vec<_> = names.iter().map(|(_, name)| *name).collect();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        for priority in Priority::ALL {
            *names.get_mut(priority) += 10;
            assert_eq!(*names.get(priority), priority as usize + 10);
        }
    }
}
